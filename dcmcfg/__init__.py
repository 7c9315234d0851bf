"""Configure, upgrade and prove dcm4chee-arc DICOM archives."""

__version__ = "0.2.0"
