"""AEs from a file: reading its rows, checking them, and the edit that adds what is new."""
