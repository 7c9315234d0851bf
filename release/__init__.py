"""The making of a release: man pages, the wheel that installs them, and bundles for hospitals without a network."""
