"""The parameters of one run of ``verify``, from its options."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dcmcfg.bulk.source import StudySource
from dcmcfg.cli.verify.bulk_options import BulkOptions
from dcmcfg.cli.verify.destination_request import AddressFinder
from dcmcfg.cli.verify.evidence_options import EvidenceFiles, EvidenceOptions
from dcmcfg.cli.verify.recall_options import RecallOptions
from dcmcfg.cli.verify.report_options import ReportOptions
from dcmcfg.dicom.retrieval import InformationModel, Patient, Priority
from dcmcfg.dicom.tls import TlsFiles
from dcmcfg.settings import Settings
from dcmcfg.verify.addresses import VerificationAddresses
from dcmcfg.verify.evidence import VerificationRequest
from dcmcfg.verify.receiver_options import ReceiverOptions
from dcmcfg.verify.selection import RetrieveSelection


@dataclass(frozen=True, kw_only=True)
class VerifyRun:
    """The request to the archive, the receiver, the evidence, and the files for results.

    ``source`` is the source of many studies, None for one study. ``study_uid`` is ``""`` with :attr:`recall_options`
    and for many studies; ``destination_ae_title`` is ``""`` for a temporary destination. ``query_keys`` limit the
    search for a purged study. With ``details``, each C-STORE is reported.
    """

    settings: Settings
    source: StudySource | None
    study_uid: str
    destination_ae_title: str
    calling_ae_title: str
    selection: RetrieveSelection
    model_and_patient: tuple[InformationModel, Patient | None]
    priority: Priority
    find_addresses: AddressFinder
    recall_options: RecallOptions
    query_keys: Mapping[str, str]
    receiver_settings: ReceiverOptions | None
    evidence_options: EvidenceOptions
    evidence_files: EvidenceFiles
    bulk_options: BulkOptions
    tls_files: TlsFiles
    reports: ReportOptions
    details: bool = False

    @property
    def as_json(self) -> bool:
        """Whether the report is JSON."""
        return self.reports.as_json

    def make_request(
        self, addresses: VerificationAddresses, *, study_uid: str = "", destination_ae_title: str = ""
    ) -> VerificationRequest:
        """Return the request; *study_uid* and *destination_ae_title* are used if the options do not specify them."""
        model, patient = self.model_and_patient
        return VerificationRequest(
            study_uid or self.study_uid,
            addresses.archive,
            destination_ae_title or self.destination_ae_title,
            self.calling_ae_title,
            expected_count=self.evidence_options.expected_instances,
            selection=self.selection,
            model=model,
            patient=patient,
            priority=self.priority,
        )

    def make_client_tls_context(self, addresses: VerificationAddresses) -> ssl.SSLContext | None:
        """Return the TLS context for associations with the archive; None for plain DICOM."""
        return self.tls_files.client_context() if addresses.tls else None

    def get_receiver_settings(self, addresses: VerificationAddresses) -> ReceiverOptions | None:
        """Return the options of the receiver; with TLS if the destination's connection in the tree has it."""
        if self.receiver_settings is None or not addresses.destination_requires_tls:
            return self.receiver_settings
        return replace(self.receiver_settings, tls=self.tls_files.server_context())
