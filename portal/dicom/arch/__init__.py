"""The dental arch of a cone-beam CT: found, drawn as a curve, unrolled into a panoramic picture.

Only numpy. Positions are millimetres (x to the left, y to the back, z to the head) from the centre of the volume's
first voxel; volumes are arrays (z, y, x) that grow along those axes.

    evidence, occlusal, template, ridge    the steps of `find`: hard tissue, its plane, the nearest arch, its middle
    find                                   seven control points, or None where no good arch was found
    curve, panorama                        a curve through control points; the volume seen along it
"""
