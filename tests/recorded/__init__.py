"""Recordings of a real dcm4chee-arc, which the folder of ``DCMCFG_RECORDINGS`` holds: reading and replaying them."""
