"""A temporary destination for one run: claim, add and remove it, and find destinations that were left behind."""
