"""All options of ``verify`` as one value, and the run that they describe."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import click

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.bulk.source import StudySource
from dcmcfg.cli.completers import complete_ae_title
from dcmcfg.cli.options.association_tls import TlsOptions, over_tls_option, tls_options
from dcmcfg.cli.options.node_options import node_name_option
from dcmcfg.cli.options.output_options import details_option
from dcmcfg.cli.options.quantities import Quantity
from dcmcfg.cli.options.site_command import option_group
from dcmcfg.cli.usage_errors import require_value
from dcmcfg.cli.verify.bulk_options import BulkOptions, bulk_options
from dcmcfg.cli.verify.destination_request import DestinationRequest
from dcmcfg.cli.verify.evidence_options import EvidenceFiles, EvidenceOptions, evidence_options, file_options
from dcmcfg.cli.verify.option_rules import require_consistent_options
from dcmcfg.cli.verify.options import ReceiveOptions, RetrieveOptions, receiving_options, retrieval_options
from dcmcfg.cli.verify.recall_options import RecallOptions, recall_options
from dcmcfg.cli.verify.report_options import ReportOptions, report_options
from dcmcfg.cli.verify.run import VerifyRun
from dcmcfg.cli.verify.temporary_options import TemporaryDestinationOptions, temporary_options
from dcmcfg.dicom.uid import parse_uid
from dcmcfg.model.devices import Configuration
from dcmcfg.route.request import get_archive_ae
from dcmcfg.settings import Settings
from dcmcfg.settings.nodes import select_node_settings
from dcmcfg.verify.addresses import MAX_TIMEOUT_S, AddressOverride, extract_hosts, find_addresses
from dcmcfg.verify.receiver_options import ReceiverOptions


@dataclass(frozen=True, kw_only=True)
class VerifyOptions:
    """The options of ``verify``: those of the C-MOVE itself, and the other groups."""

    studies: tuple[str, ...]
    dest: str | None
    ae: str | None
    calling: str
    connect: str | None
    node: str | None
    over_tls: bool
    timeout_s: float | None
    recalling: RecallOptions
    retrieving: RetrieveOptions
    receiving: ReceiveOptions
    temporary: TemporaryDestinationOptions
    evidence_settings: EvidenceOptions
    files: EvidenceFiles
    tls: TlsOptions
    bulk: BulkOptions
    reports: ReportOptions
    details: bool

    @property
    def as_json(self) -> bool:
        """Whether the report is JSON."""
        return self.reports.as_json

    def make_run(self, settings: Settings) -> VerifyRun:
        """Return the run that the options describe; neither the archive nor the directory is contacted.

        Raises :class:`click.UsageError` for options that contradict each other, and
        :class:`~dcmcfg.errors.DcmcfgError` for a malformed value or a file that cannot be written.
        """
        require_consistent_options(self.studies, as_json=self.as_json)
        settings = select_node_settings(settings, self.node)
        selection = self.retrieving.parse_selection()
        model_and_patient = self.retrieving.parse_model_and_patient()
        query_keys = self.recalling.parse_query_keys(self.bulk)
        source = self._parse_source()
        archive_ae_title = self._parse_archive_ae_title()
        calling_ae_title = parse_ae_title(self.calling)
        # Check the files before the C-MOVE: the evidence cannot be collected a second time.
        self.files.require_file_type(many_studies=source is not None)
        self.files.require_writable(many_studies=source is not None)
        return VerifyRun(
            settings=settings,
            source=source,
            find_addresses=functools.partial(
                find_addresses,
                device_name=settings.device,
                ae_title=archive_ae_title,
                calling_ae_title=calling_ae_title,
                connect=self._choose_archive_address(settings),
                timeout_s=self.timeout_s,
                tls=self.over_tls,
                other_hosts=extract_hosts(settings.ldap_url, settings.archive_url),
            ),
            study_uid=parse_uid(self.studies[0]) if self.studies and source is None else "",
            destination_ae_title=parse_ae_title(self.dest) if self.dest is not None else "",
            calling_ae_title=calling_ae_title,
            selection=selection,
            model_and_patient=model_and_patient,
            priority=self.retrieving.get_priority(),
            recall_options=self.recalling,
            query_keys=query_keys,
            receiver_settings=self._make_receiver_settings(source) if self.receiving.is_enabled else None,
            evidence_options=self.evidence_settings,
            evidence_files=self.files,
            bulk_options=self.bulk,
            tls_files=self.tls.get_tls_files(settings),
            reports=self.reports,
            details=self.details,
        )

    def make_destination_request(self, run: VerifyRun, configuration: Configuration) -> DestinationRequest:
        """Return the data for a temporary destination of *run*.

        Raises :class:`~dcmcfg.errors.NotFound` if *configuration* does not have the device or the archive AE.
        """
        return DestinationRequest(
            archive_ae=get_archive_ae(configuration.get_device(run.settings.device), self._parse_archive_ae_title()),
            calling_ae_title=run.calling_ae_title,
            find_addresses=run.find_addresses,
            server_hosts=extract_hosts(run.settings.ldap_url, run.settings.archive_url),
            receiver_settings=self._make_receiver_settings(run.source),
            tls_files=run.tls_files,
            use_tls=self.over_tls,
        )

    def _choose_archive_address(self, settings: Settings) -> AddressOverride | None:
        """Return the address of ``--connect``, else the host of the node, or None for the address in the tree."""
        if self.connect is not None:
            return AddressOverride.parse(self.connect)
        # All nodes have the same entry in the tree, so only the URL of a node has its host.
        host = urlsplit(settings.archive_url).hostname if settings.node else None
        return AddressOverride(host) if host else None

    def _parse_source(self) -> StudySource | None:
        source = None if self.recalling.recall else self.bulk.make_source(self.studies)
        self.reports.require_distinct_files(
            read=(self.bulk.studies_file, self.bulk.store_file), replace=self.files.replace
        )
        if source is not None:
            self.bulk.require_valid(source)
        return source

    def _parse_archive_ae_title(self) -> str | None:
        return parse_ae_title(self.ae) if self.ae is not None else None

    def _make_receiver_settings(self, source: StudySource | None) -> ReceiverOptions:
        """Return the receiver options; with digests if evidence files or the JSON of one study contain digests."""
        return self.receiving.make_receiver_settings(sha256=bool(self.files.paths) or (source is None and self.as_json))


_OPTIONS: list[Callable[[Callable[..., int]], Callable[..., int]]] = [
    click.option(
        "--study",
        "studies",
        multiple=True,
        metavar="UID",
        callback=require_value,
        help="Study Instance UID. Repeat the option to verify many studies.",
    ),
    click.option(
        "--dest",
        metavar="AET",
        callback=require_value,
        shell_complete=complete_ae_title,
        help="Move Destination: the AE that receives the study.",
    ),
    click.option(
        "--ae",
        metavar="AET",
        help="The archive's AE that receives the request. Default: the only storage SCP of the archive's device.",
    ),
    click.option("--calling", default="DCMCFG", show_default=True, metavar="AET", help="Calling AE title."),
    click.option(
        "--connect", metavar="HOST[:PORT]", help="Address of the archive, instead of the address in the configuration."
    ),
    node_name_option,
    recall_options,
    retrieval_options,
    receiving_options,
    temporary_options,
    evidence_options,
    file_options,
    over_tls_option("Call the archive over TLS. This is the default if the archive has only TLS connections."),
    tls_options,
    bulk_options,
    click.option(
        "--timeout-s",
        type=Quantity(min=0, min_open=True, max=MAX_TIMEOUT_S),
        metavar="S",
        help="Time-out in seconds for each response. The default is longer than the time-out of the archive "
        "(dcmRetrieveTimeout).",
    ),
    report_options,
    details_option,
]
verify_options = option_group("options", VerifyOptions, _OPTIONS)
