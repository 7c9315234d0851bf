"""Results to tables, text, JSON; rich is named in this folder only."""
