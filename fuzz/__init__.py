"""Readers on broken input."""
