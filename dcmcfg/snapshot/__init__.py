"""The whole configuration in a file that proves itself whole, and brings a directory back to it."""
