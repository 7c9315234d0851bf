"""From a plan to a changed directory, with an undo."""
