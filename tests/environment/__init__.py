"""The environment of the archive's containers, read from files and compared with the configuration."""
