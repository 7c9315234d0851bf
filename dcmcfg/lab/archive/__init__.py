"""A simulation of the dcm4chee archive for trials and tests; see ``docs/reference/stand-in-archive.md``."""
