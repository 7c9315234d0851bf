"""Verification of many studies in one run that can be resumed."""
