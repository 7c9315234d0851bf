"""Compare the archive's device in the directory with the JSON that the archive itself shows of it."""
