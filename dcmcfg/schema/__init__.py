"""The LDAP schema: definitions, equality rules, syntaxes (RFC 4512, RFC 4517)."""
