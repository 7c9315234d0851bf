"""Search in the tree: text, entries by name, completions."""
