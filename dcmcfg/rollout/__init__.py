"""Apply a plan to a directory, record it, and revert or resume it."""
