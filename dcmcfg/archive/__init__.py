"""The edge to the archive's web interface; only this package uses httpx."""
