"""Print tables and text on a terminal."""
