"""Invented patients and computed studies for the demo and the tests.

A head is drawn from formulas, one axial section at a time, then written as DICOM the way a
cone-beam scanner, a panoramic unit and an intra-oral sensor would write it. No image here is of
any person, and none is fit for diagnosis, measurement or training.

Axes are the patient's (LPS) everywhere: x grows to the left, y to the back, z to the head; lengths in
millimetres. The occlusal plane is z = 0 and the midline is x = 0.

    people, findings                   who they are, and what is in their mouths
    curve, dentition                   the dental arch, and where each tooth stands on it
    shapes, section, window            the tools: distances and noise, one section, the corner around a tooth
    tooth, root, crown, restoration    one tooth drawn into a section
    mandible, maxilla, face            the bone and the soft tissue around the teeth
    scanner, volume                    blur, streaks, rings, noise; the whole, section by section
    projection                         panoramic and periapical X-rays computed from a volume
    dicom_writer, studies              the files
"""
