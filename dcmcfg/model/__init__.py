"""The configuration tree, and what can be read from it: devices, AEs, connections, references. Pure."""
