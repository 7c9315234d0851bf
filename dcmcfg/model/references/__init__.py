"""Values that name another part of the configuration: an AE, a device, a queue."""
