"""The DICOM Upper Layer protocol (PS3.8) and command sets (PS3.7), for both sides of an association."""
