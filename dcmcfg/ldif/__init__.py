"""LDIF text to records, records to LDIF text (RFC 2849)."""
