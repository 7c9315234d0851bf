"""The command line, one file a command; click is named in this folder only."""
