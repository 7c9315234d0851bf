"""Kinds of entities that attribute values refer to by name."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import Enum


@dataclass(frozen=True)
class Naming:
    """The naming of a kind of entity: object class, attribute of the RDN, label for messages.

    A registry keeps the names of a ``registered`` kind unique in the whole tree.
    """

    object_class: str
    attribute: str
    label: str
    _: KW_ONLY
    case_exact: bool = True
    registered: bool = False


class EntityKind(Enum):
    """A kind of entity that has a name."""

    AE = Naming("dicomNetworkAE", "dicomAETitle", "AE", registered=True)
    # The equality rule of dicomDeviceName ignores case, those of all other names do not.
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
        """Return whether two names of this kind are the same; only device names and DNs are not case-sensitive."""
        return one == other if self.value.case_exact else one.casefold() == other.casefold()


class NameUse(Enum):
    """How the archive uses a name.

    It looks up LOCAL names in the same device and REMOTE names in the whole tree. It only compares COMPARED names with
    received names or passes them on, so they may name something without an entry.
    """

    LOCAL = "local"
    REMOTE = "remote"
    COMPARED = "compared"
