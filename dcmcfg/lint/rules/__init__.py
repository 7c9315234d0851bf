"""The rules of ``dcmcfg lint``, a file for each topic."""
