"""Tables and text on a terminal."""
