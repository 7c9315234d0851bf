"""The edge to the LDAP server; only this package imports ldap3."""
