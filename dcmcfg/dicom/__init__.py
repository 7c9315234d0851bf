"""The edge to DICOM peers: the upper layer, the services, what arrives."""
