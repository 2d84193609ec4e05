"""Reading DICOM: archives, headers, pixels, geometry and the viewer's frames. Imports no Django.

Files from outside are parsed only in a confined child process (`sandbox`); the parent handles archives,
arithmetic, geometry and arrays it has checked. What runs where:

    parent   sandbox  archives  headers  display  geometry  frames  pyramid  patient_match
    child    child  header_reader  part10  planes  pixel_data  decoders  codestreams  grading
    both     verdicts  acceptance  syntaxes  wire
"""
