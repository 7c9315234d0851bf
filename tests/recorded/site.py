"""The directory server with the configuration that a recording was made with, on loopback ports of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port
from tests.recorded.recordings import DimseRecording
from tests.running_slapd import RunningSlapd

DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
_CHANGED = "LDAP changed for this: "
_MR_ONLY = "WORKSTATION lists one transfer capability, MR as SCP"
_MR = f"""\
dn: cn=MR Image Storage SCP,dicomAETitle=WORKSTATION,dicomDeviceName=workstation,{DEVICES}
changetype: add
objectClass: dicomTransferCapability
cn: MR Image Storage SCP
dicomSOPClass: 1.2.840.10008.5.1.4.1.1.4
dicomTransferRole: SCP
dicomTransferSyntax: 1.2.840.10008.1.2

"""


@dataclass(frozen=True)
class Ports:
    """TCP ports on 127.0.0.1. Nothing listens at those of the external archives."""

    archive: int
    http: int
    longterm: int
    fallback: int


@dataclass
class Site:
    """A running slapd with the configuration of the recordings (their README), to be changed as one of them has it.

    ``workstation`` is the port of the AE WORKSTATION, another for each recording: nothing keeps it meanwhile.
    """

    slapd: RunningSlapd
    ports: Ports
    folder: Path
    workstation: int = 0

    def configure(self) -> None:
        """Bring the default configuration to that of the recordings."""
        self._modify(_base(self.ports))

    @contextmanager
    def configured(self, recording: DimseRecording, *, nearline: bool = False) -> Iterator[None]:
        """Have the tree as *recording* had it while the block runs; with *nearline* fs1 tells so of what it purges."""
        self.workstation = free_port()
        port = (f"cn=dicom,dicomDeviceName=workstation,{DEVICES}", "dicomPort", str(self.workstation))
        changes = [port, *_changes(recording.configured)]
        if nearline:
            storage = f"dcmStorageID=fs1,dicomDeviceName=dcm4chee-arc,{DEVICES}"
            changes.append((storage, "dcmExternalRetrieveInstanceAvailability", "NEARLINE"))
        before = {(dn, name): self._values(dn, name) for dn, name, _ in changes}
        added = _MR_ONLY in recording.configured
        self._modify("".join(_replaced(dn, name, [] if value is None else [value]) for dn, name, value in changes))
        if added:
            self._modify(_MR)
        try:
            yield
        finally:
            self._modify("".join(_replaced(dn, name, values) for (dn, name), values in before.items()))
            if added:
                self._modify(f"{_MR.splitlines()[0]}\nchangetype: delete\n\n")

    def _values(self, dn: str, name: str) -> list[str]:
        (entry,) = (each for each in self.slapd.entries(dn) if str(each.dn) == dn)
        return list(entry.texts(name)) if name in entry else []

    def _modify(self, ldif: str) -> None:
        if not ldif:
            return
        file = self.folder / "change.ldif"
        file.write_text(f"version: 1\n\n{ldif}", "utf-8")
        done = self.slapd.run_client("ldapmodify", "-f", str(file))
        assert done.returncode == 0, done.stderr


def _changes(configured: str) -> Iterator[tuple[str, str, str | None]]:
    """Yield (DN, attribute, value) of each change that *configured* names; None stands for no value."""
    for part in configured.split(" | "):
        if part.startswith(_CHANGED):
            for change in part.removeprefix(_CHANGED).split("; "):
                rdns, _, assignment = change.partition(": ")
                name, _, value = assignment.partition("=")
                yield f"{rdns},{DEVICES}", name, None if value == "None" else value


def _replaced(dn: str, name: str, values: list[str]) -> str:
    lines = "".join(f"{name}: {value}\n" for value in values)
    return f"dn: {dn}\nchangetype: modify\nreplace: {name}\n{lines}-\n\n"


def _base(ports: Ports) -> str:
    archive = f"dicomDeviceName=dcm4chee-arc,{DEVICES}"
    connection = f"cn=dicom,{archive}"
    storage = f"dcmStorageID=fs1,{archive}"
    exporter = f"""\
dn: dcmExporterID=LONGTERM,{archive}
changetype: add
objectClass: dcmExporter
dcmExporterID: LONGTERM
dcmURI: dicom:LONGTERM
dcmQueueName: Export
dicomAETitle: DCM4CHEE
dcmStgCmtSCP: LONGTERM

dn: cn=To LONGTERM,{archive}
changetype: add
objectClass: dcmExportRule
cn: To LONGTERM
dcmEntity: Series
dcmExporterID: LONGTERM
dcmProperty: SendingApplicationEntityTitle!=LONGTERM
dcmDuration: PT3S

"""
    return (
        _replaced(connection, "dicomHostname", ["127.0.0.1"])
        + _replaced(connection, "dicomPort", [str(ports.archive)])
        + _replaced(connection, "dcmBindAddress", ["127.0.0.1"])
        + _replaced(archive, "dcmExternalRetrieveAEDestination", ["DCM4CHEE"])
        + _replaced(archive, "dcmSendPendingCMoveInterval", ["PT5S"])
        + _replaced(archive, "dcmAECacheStaleTimeout", ["PT5M"])
        + _replaced(archive, "dcmPurgeStoragePollingInterval", ["PT15S"])
        + _replaced(archive, "dcmTaskPollingInterval", ["PT3S"])
        + _replaced(storage, "dcmStorageDuration", ["CACHE"])
        + _replaced(storage, "dcmExternalRetrieveAET", ["LONGTERM"])
        + _replaced(storage, "dcmDeleterThreshold", ["1MB"])
        + exporter
        + _remote("longterm", "LONGTERM", ports.longterm)
        + _remote("fallback", "FALLBACK", ports.fallback)
        + _remote("workstation", "WORKSTATION", 9117)
    )


def _remote(device: str, title: str, port: int) -> str:
    dn = f"dicomDeviceName={device},{DEVICES}"
    return f"""\
dn: {dn}
changetype: add
objectClass: dicomDevice
dicomDeviceName: {device}
dicomInstalled: TRUE

dn: cn=dicom,{dn}
changetype: add
objectClass: dicomNetworkConnection
cn: dicom
dicomHostname: 127.0.0.1
dicomPort: {port}

dn: dicomAETitle={title},{dn}
changetype: add
objectClass: dicomNetworkAE
dicomAETitle: {title}
dicomAssociationInitiator: TRUE
dicomAssociationAcceptor: TRUE
dicomNetworkConnectionReference: cn=dicom,{dn}

dn: dicomAETitle={title},cn=Unique AE Titles Registry,cn=DICOM Configuration,dc=dcm4che,dc=org
changetype: add
objectClass: dicomUniqueAETitle
dicomAETitle: {title}

"""
