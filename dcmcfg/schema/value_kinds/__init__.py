"""How the archive reads the values of its configuration: one small parser for each kind of value."""
