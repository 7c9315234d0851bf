"""The nodes of an archive: wait for their directory servers, reload them, and confirm what they have loaded."""
