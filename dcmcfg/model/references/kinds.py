"""The kinds of things that values refer to by name."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import Enum


@dataclass(frozen=True)
class Naming:
    """How entries of a kind are named: their object class, the attribute of the RDN, what one calls them.

    Names of a *registered* kind are unique in the whole tree, since a registry keeps them so.
    """

    object_class: str
    attribute: str
    label: str
    _: KW_ONLY
    case_exact: bool = True
    registered: bool = False


class EntityKind(Enum):
    """A kind of thing that has a name."""

    AE = Naming("dicomNetworkAE", "dicomAETitle", "AE", registered=True)
    DEVICE = Naming("dicomDevice", "dicomDeviceName", "device", case_exact=False)
    QUEUE = Naming("dcmQueue", "dcmQueueName", "queue")
    EXPORTER = Naming("dcmExporter", "dcmExporterID", "exporter")
    STORAGE = Naming("dcmStorage", "dcmStorageID", "storage")
    VIEW = Naming("dcmQueryRetrieveView", "dcmQueryRetrieveViewID", "query/retrieve view")
    WEB_APP = Naming("dcmWebApp", "dcmWebAppName", "web application", registered=True)
    KEYCLOAK_CLIENT = Naming("dcmKeycloakClient", "dcmKeycloakClientID", "Keycloak client")
    HL7_APPLICATION = Naming("hl7Application", "hl7ApplicationName", "HL7 application", registered=True)
    ID_GENERATOR = Naming("dcmIDGenerator", "dcmIDGeneratorName", "ID generator")
    BULK_DATA_DESCRIPTOR = Naming("dcmBulkDataDescriptor", "dcmBulkDataDescriptorID", "bulk data descriptor")
    PDQ_SERVICE = Naming("dcmPDQService", "dcmPDQServiceID", "PDQ service")
    #: Any entry, by its DN.
    ENTRY = Naming("", "", "entry", case_exact=False)

    def are_same_name(self, one: str, other: str) -> bool:
        """Tell whether two names of this kind are one; case is significant but in device names."""
        return one == other if self.value.case_exact else one.casefold() == other.casefold()


class NameUse(Enum):
    """What becomes of a name.

    LOCAL and REMOTE names are looked up: among what the same device holds, or in the whole tree. A COMPARED one is
    only compared with a title that turns up, or passed on to others, so it may name what has no entry.
    """

    LOCAL = "local"
    REMOTE = "remote"
    COMPARED = "compared"
