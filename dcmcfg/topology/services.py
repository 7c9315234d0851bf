"""The DICOM services of an AE, from its transfer capabilities."""

from __future__ import annotations

from enum import Enum

from dcmcfg.model.capabilities import SCP, get_sop_class_role, is_storage_capability
from dcmcfg.model.devices import NetworkAE

_QUERY_RETRIEVE = "1.2.840.10008.5.1.4.1.2."
#: SOP class UIDs of PS3.4; the Unified Procedure Step has one for each of its services (PS3.4 CC).
_SOP_CLASSES = {
    "1.2.840.10008.5.1.4.31": "worklist",
    "1.2.840.10008.3.1.2.3.3": "mpps",
    "1.2.840.10008.1.20.1": "storage_commitment",
    "1.2.840.10008.5.1.4.33": "instance_availability",
}
_UNIFIED_WORKLIST = "1.2.840.10008.5.1.4.34."


class Service(Enum):
    """A DICOM service; the value is its name in JSON."""

    STORE = "store"
    QUERY_RETRIEVE = "query_retrieve"
    WORKLIST = "worklist"
    MPPS = "mpps"
    UNIFIED_WORKLIST = "unified_worklist"
    STORAGE_COMMITMENT = "storage_commitment"
    INSTANCE_AVAILABILITY = "instance_availability"

    @property
    def label(self) -> str:
        """The service in words."""
        return _LABELS.get(self, self.value.replace("_", " "))


_LABELS = {
    Service.QUERY_RETRIEVE: "query/retrieve",
    Service.MPPS: "MPPS",
    Service.UNIFIED_WORKLIST: "unified worklist (UPS)",
    Service.INSTANCE_AVAILABILITY: "instance availability",
}


def find_services(ae: NetworkAE, role: str = SCP) -> tuple[Service, ...]:
    """Return the services that the own or shared capabilities of *ae* contain in *role*, ``SCP`` or ``SCU``."""
    found = set()
    for capability in ae.capability_source.capabilities:
        sop_class, capability_role = get_sop_class_role(capability)
        if capability_role != role:
            continue
        if sop_class.startswith(_QUERY_RETRIEVE):
            found.add(Service.QUERY_RETRIEVE)
        elif sop_class.startswith(_UNIFIED_WORKLIST):
            found.add(Service.UNIFIED_WORKLIST)
        elif sop_class in _SOP_CLASSES:
            found.add(Service(_SOP_CLASSES[sop_class]))
        elif is_storage_capability(capability):
            found.add(Service.STORE)
    return tuple(service for service in Service if service in found)
