"""What will not work in a configuration, found in the tree before anyone tries."""
