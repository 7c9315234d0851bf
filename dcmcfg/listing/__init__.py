"""What stands in a tree, picked out for lists."""
