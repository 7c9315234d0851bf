"""What the archive will do with a C-MOVE, from its configuration alone."""
