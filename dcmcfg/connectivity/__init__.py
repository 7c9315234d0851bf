"""C-ECHO to the AEs of the configuration, and the addresses to call."""
