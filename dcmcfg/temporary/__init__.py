"""A destination for one run: claimed, added, taken back, and found again when nobody took it back."""
