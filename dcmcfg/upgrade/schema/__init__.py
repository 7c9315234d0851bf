"""The schema of the directory server: compare it with releases, and compute the changes of cn=config."""
