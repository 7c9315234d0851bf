"""The archive's JSON of its device, compared with the directory."""
