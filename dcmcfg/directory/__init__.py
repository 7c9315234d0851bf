"""The edge to the LDAP server; only this package imports ldap3."""

import warnings

# ldap3 2.9.1, its last release, uses old names of pyasn1. pyasn1 0.6.0, which did not warn of them yet, has security
# flaws, so dcmcfg requires a newer one (docs/project/design.md).
warnings.filterwarnings("ignore", "(tagMap|typeMap) is deprecated", DeprecationWarning)
