"""A destination for one run: claimed, added, removed, and found again when nobody removed it."""
