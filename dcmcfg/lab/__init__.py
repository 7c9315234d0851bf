"""A whole site on loopback: slapd, archive, external archive, storage SCP."""
