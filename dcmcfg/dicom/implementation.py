"""How dcmcfg's own implementation of DICOM names itself (PS3.7 Section D.3.3.2)."""

from __future__ import annotations

#: Made of a random UUID (PS3.5 Annex B.2).
CLASS_UID = "2.25.136206842132771243863784695723854350424"
VERSION_NAME = "DCMCFG_1"
