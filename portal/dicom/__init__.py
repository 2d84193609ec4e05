"""Reading DICOM: archives, headers, pixels, geometry and the viewer's frames. Imports no Django.

Files from outside are parsed only in a confined child process (`sandbox`); the parent handles archives,
arithmetic, geometry, and records and arrays it has checked. What runs where:

    parent   sandbox  child_process  archives  zip_directory  geometry  frames  pyramid  patient_match
    child    child  confinement  part10  elements  fragments  header_reader  planes
             codestreams  decoders  grading  colour  pixel_data
    both     headers  display  wire  verdicts  acceptance  syntaxes
"""
