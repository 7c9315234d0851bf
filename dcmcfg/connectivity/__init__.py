"""C-ECHO to the AEs of the configuration, and the address to call each of them at."""
