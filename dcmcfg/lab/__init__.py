"""The lab: a complete site on loopback with slapd, archive, external archive and storage SCP."""
