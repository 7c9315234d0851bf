"""The DICOM edge: upper layer protocol, services, and received objects."""
