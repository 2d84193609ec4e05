"""The trail in forms that others read: a table, FHIR, DICOM. What is exported is read out, never moved."""
