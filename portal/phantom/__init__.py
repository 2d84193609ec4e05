"""Invented patients and computed studies for the demo and the tests.

A head is drawn from formulas, one axial section at a time, then written as DICOM the way a
cone-beam scanner, a panoramic unit and an intra-oral sensor would write it. No image here is of
any person, and none is fit for diagnosis, measurement or training.

Axes are the patient's (LPS) everywhere: x grows to the left, y to the back, z to the head; lengths in
millimetres. The occlusal plane is z = 0 and the midline is x = 0.

    people      who they are                      findings    what is in their mouths
    curve       the dental arch                   shapes      distances, soft edges, noise
    dentition   where each tooth stands           tooth       root, crown, implant drawn in a section
    mandible, maxilla, face                       the bone and the soft tissue around the teeth
    scanner     blur, streaks, rings, noise       volume      the whole, section by section
    projection  panoramic and periapical          dicom_writer, studies    the files
"""
