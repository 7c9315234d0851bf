"""The roles of AEs outside the archives: modality, workstation or other archive.

Kept apart: the roles of ``dcmcfg ae add`` are those of new AEs, and depend on fewer signs.
"""

from __future__ import annotations

from dcmcfg.model.devices import NetworkAE
from dcmcfg.onboarding.role import AERole, determine_role
from dcmcfg.schema.web_form import get_form_fields
from dcmcfg.schema_names import DICOM_DEVICE_OBJECT_CLASS, DICOM_PRIMARY_DEVICE_TYPE
from dcmcfg.topology.graph import PeerRole
from dcmcfg.topology.services import Service, find_services

#: The types in the web form's list that acquire no images; the others are modalities (PS3.16, CID 30 and CID 29).
_NO_MODALITIES = frozenset({"ARCHIVE", "COMP", "CAD", "DSS", "M3D", "MCD", "PRINT", "LOG", "WSD"})


def determine_peer_role(ae: NetworkAE, *, is_scheduled_station: bool = False) -> PeerRole:
    """Return the role of *ae*, which belongs to no archive.

    It follows from the type of the device, then from the capabilities, then from the roles of ``dcmcfg ae add``.
    *is_scheduled_station* is whether an archive schedules procedures for its device.
    """
    types = ae.device.entry.texts(DICOM_PRIMARY_DEVICE_TYPE)
    role = determine_role(ae)
    if role is AERole.ARCHIVE:
        return PeerRole.ARCHIVE
    if is_scheduled_station or any(is_modality_type(each) for each in types):
        return PeerRole.MODALITY
    # A destination also refuses associations if it only receives.
    if types or Service.STORE in find_services(ae):
        return PeerRole.WORKSTATION
    return PeerRole.MODALITY if role is AERole.MODALITY else PeerRole.WORKSTATION


def is_modality_type(device_type: str) -> bool:
    """Return whether *device_type* (dicomPrimaryDeviceType) acquires images; False for a type of the site's own."""
    fields = get_form_fields(DICOM_PRIMARY_DEVICE_TYPE)
    return device_type in fields[DICOM_DEVICE_OBJECT_CLASS].values and device_type not in _NO_MODALITIES
