"""Directory servers other than OpenLDAP: what dcmcfg does where they answer differently."""
