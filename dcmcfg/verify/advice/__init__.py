"""Suggest next steps after a failed verification: one module for each cause (next_steps.py lists them)."""
