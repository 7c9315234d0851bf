"""What one run of ``verify`` is to do, as its options say it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dcmcfg.cli.verify.bulk_options import Bulk
from dcmcfg.cli.verify.destination_request import Finder
from dcmcfg.cli.verify.evidence_options import EvidenceFiles, EvidenceWanted
from dcmcfg.cli.verify.recall_options import Recalling
from dcmcfg.dicom.retrieval import Model, Patient, Priority
from dcmcfg.dicom.tls import TlsFiles
from dcmcfg.settings import Settings
from dcmcfg.verify.addresses import Addresses
from dcmcfg.verify.evidence import Question
from dcmcfg.verify.receiver_options import Listening
from dcmcfg.verify.selection import Selection


@dataclass(frozen=True)
class Verification:
    """What is asked of the archive, who listens, what is taken into account, and where it is told.

    ``study_uid`` is ``""`` and ``destination`` is ``""`` where others say which: :attr:`recalling`, many studies, a
    temporary destination. ``keys`` are those by which a purged study is looked for. ``details`` has each C-STORE
    reported.
    """

    settings: Settings
    study_uid: str
    destination: str
    calling: str
    selection: Selection
    root: tuple[Model, Patient | None]
    urgency: Priority
    find: Finder
    recalling: Recalling
    keys: Mapping[str, str]
    listening: Listening | None
    wanted: EvidenceWanted
    files: EvidenceFiles
    bulk: Bulk
    secured: TlsFiles
    as_json: bool
    details: bool = False

    def question(self, addresses: Addresses, *, study_uid: str = "", destination: str = "") -> Question:
        """Return what is asked at *addresses*, about *study_uid* where it was not named, for *destination* likewise."""
        model, patient = self.root
        return Question(
            study_uid or self.study_uid,
            addresses.archive,
            destination or self.destination,
            self.calling,
            self.wanted.expect,
            self.selection,
            model,
            patient,
            self.urgency,
        )

    def client_tls(self, addresses: Addresses) -> ssl.SSLContext | None:
        """Return what the archive is called with; None where that is plain DICOM."""
        return self.secured.client_context() if addresses.tls else None

    def listening_at(self, addresses: Addresses) -> Listening | None:
        """Return how we listen at *addresses*: with TLS where the tree says so."""
        if self.listening is None or not addresses.receives_tls:
            return self.listening
        return replace(self.listening, tls=self.secured.server_context())
