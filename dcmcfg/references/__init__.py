"""Which values refer to an AE, a device, a queue or another named thing, and in what shape."""
