"""UIDs of PS3.6 Annex A that several modules use. All others are in the table of ``dicom.uid_registry``.

Kept apart: lint, model and route use it without loading DICOM.
"""

from __future__ import annotations

VERIFICATION = "1.2.840.10008.1.1"

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"

#: The Query/Retrieve information models (PS3.4 Section C.6).
PATIENT_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"
PATIENT_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.1.2"
PATIENT_ROOT_GET = "1.2.840.10008.5.1.4.1.2.1.3"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"

#: The UID prefix of the storage SOP classes in PS3.4 B.5.
STORAGE_SOP_CLASS_PREFIX = "1.2.840.10008.5.1.4.1.1."
