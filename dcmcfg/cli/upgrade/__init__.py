"""The commands of ``dcmcfg upgrade``, and the options that they share."""
