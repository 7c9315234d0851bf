"""The proof: one real C-MOVE, and what it shows."""
