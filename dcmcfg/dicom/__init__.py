"""The edge to DICOM peers (pynetdicom)."""
