"""The rules on what settings mean together, a file for each topic."""
