"""How the recordings of the control service are used: by which command replayed, and how held to the stand-in."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.lab.running_site import AE, DEVICE

#: What dcmcfg says at each recording, written by the tests with ``WRITE_ANSWERS=1``.
SAID = Path(__file__).with_name("control_answers.json")
FAILED_STARTS = ("failed-start-enum", "failed-start-keystore-pin", "failed-start-port-conflict")
#: Recordings of ctrl.json by the command that they are replayed to.
REPLAYED = {
    "status-started": "status",
    "status-started-again": "status",
    "status-stopped": "status",
    "status-stopped-after-reload": "status",
    "status-post": "status",
    "unknown": "status",
    "reload-get": "reload",
    "reload": "reload",
    "reload-when-stopped": "reload",
    **{f"{each}-{when}": "status" for each in FAILED_STARTS for when in ("status", "status-after-reload")},
    **{f"{each}-reload": "reload" for each in FAILED_STARTS},
}
#: Polls of ctrl/status, of which each answer is replayed to ``status``.
POLLED = ("stop-and-start", "undeploy-and-deploy")
#: Requests that dcmcfg never sends; their answers are held to the stand-in only.
NEVER_SENT = ("start", "start-when-started", "stop", "stop-when-stopped")
#: Recordings of ctrl.json that the stand-in is held to, in the order in which the real archive was asked.
HELD_IN_ORDER = (
    "status-started",
    "reload",
    "reload-get",
    "status-post",
    "unknown",
    "start-when-started",
    "stop",
    "status-stopped",
    "reload-when-stopped",
    "status-stopped-after-reload",
    "stop-when-stopped",
    "start",
    "status-started-again",
)
CONNECTION = f"cn=dicom,{DEVICE}"
TLS = f"cn=dicom-tls,{DEVICE}"
CAPABILITY = f"cn=CT Image Storage SCP,{AE}"
STORESCP = "cn=dicom,dicomDeviceName=storescp,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
STORAGE = f"dcmStorageID=fs1,{DEVICE}"
#: Recordings of reloads with what is changed in the lab's tree for them: DN, attribute, values; None for a rename.
BROKEN: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "reload-ae-on-hl7-connection": (AE, "dicomNetworkConnectionReference", (f"cn=hl7,{DEVICE}",)),
    "reload-bind-address": (CONNECTION, "dcmBindAddress", ("203.0.113.7",)),
    "reload-bind-host-unknown": (CONNECTION, "dcmBindAddress", ("nosuch.invalid",)),
    "reload-ciphers-unknown": (TLS, "dicomTLSCipherSuite", ("ECDHE-RSA-AES128-GCM-SHA256",)),
    "reload-connection-of-other-device": (AE, "dicomNetworkConnectionReference", (STORESCP,)),
    "reload-dangling-connection-reference": (AE, "dicomNetworkConnectionReference", (f"cn=gone,{DEVICE}",)),
    "reload-duration": (DEVICE, "dcmAECacheStaleTimeout", ("5 minutes",)),
    "reload-enum": (DEVICE, "dcmOverwritePolicy", ("SOMETIMES",)),
    "reload-object-storage-unknown": (AE, "dcmObjectStorageID", ("nosuch",)),
    "reload-port-70000": (TLS, "dicomPort", ("70000",)),
    "reload-protocol": (TLS, "dcmProtocol", ("FTP",)),
    "reload-storage-duration": (STORAGE, "dcmStorageDuration", ("FOREVER",)),
    "reload-transfer-role": (CAPABILITY, "dicomTransferRole", ("scp",)),
    "reload-two-connections-one-port": (TLS, "dicomPort", ("PORT OF DICOM",)),
}
NOT_IMITATED = {
    "reload-exporter-queue": "the lab has no exporters",
    "reload-export-rule-property": "the lab has no export rules",
    "reload-export-rule-schedule": "the lab has no export rules",
    "reload-exporter-uri": "the lab has no exporters",
    "reload-exporter-uri-scheme": "the lab has no exporters",
    "reload-fuzzy-class": "the lab reads no class names",
    "reload-hl7-on-dicom-port": "the lab has no HL7 listener",
    "reload-hostname-unknown": "the lab binds the same port again without the real archive's race",
    "reload-keystore-pin": "the lab reads no key stores",
    "reload-keystore-url": "the lab reads no key stores",
    "reload-storage-threshold": "the lab reads no thresholds",
    "reload-storage-uri": "the lab reads no URIs",
    "reload-tag": "the lab reads no attribute filters",
}


@dataclass(frozen=True)
class ExpectedOutput:
    """What dcmcfg said at a recording: the command, what is true, the first line without the URL, the exit code."""

    recording: str
    command: str
    does: str
    true: str
    says: str
    exit_code: int

    @property
    def stand_in(self) -> str:
        """Whether the stand-in is held to the recording, else why not."""
        name = self.recording.partition(":")[0]
        if name in BROKEN or name in HELD_IN_ORDER or name == "reload-device-gone":
            return "held"
        return NOT_IMITATED.get(name, "the lab has no web server that runs without its archive")


def read_expected_outputs() -> tuple[ExpectedOutput, ...]:
    """Return what the tests compare."""
    return tuple(ExpectedOutput(**each) for each in json.loads(SAID.read_text("utf-8")))


def write_expected_outputs(rows: list[ExpectedOutput]) -> None:
    """Write what the commands say now."""
    SAID.write_text(json.dumps([asdict(each) for each in rows], indent=1, ensure_ascii=False) + "\n", "utf-8")
