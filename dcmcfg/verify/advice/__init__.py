"""What to do next when a verification did not go well: one file for each thing that can go wrong (next_steps.py)."""
