"""Files on disk that dcmcfg reads and writes: LDIF, lists of AEs, private files."""
