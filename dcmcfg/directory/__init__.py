"""The edge to the LDAP server; ldap3 is named in this folder only."""
