"""Import AEs from a file: read its rows, check them, and make the edit that adds the new AEs."""
