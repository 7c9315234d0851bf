"""Many studies verified in one run that can be gone on with."""
