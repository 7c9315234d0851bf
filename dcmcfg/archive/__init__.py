"""The edge to the archive's web interface; httpx is named in this folder only."""
