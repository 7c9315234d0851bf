"""Render results as tables, text and JSON; only this package imports rich."""
