"""The storage SCP that receives the instances of a C-MOVE (PS3.4 Annex B)."""
