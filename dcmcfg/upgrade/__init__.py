"""Upgrade a customised configuration from one archive release to another."""
