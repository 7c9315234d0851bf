"""Snapshots: files with the whole configuration and a checksum, from which a directory can be restored."""
