"""``dcmcfg verify``."""

from __future__ import annotations

import functools
import sys

import click

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.cli.completers import complete_ae_title
from dcmcfg.cli.lazy_import import import_attribute
from dcmcfg.cli.options.association_tls import TlsOptions, over_tls_option, tls_options
from dcmcfg.cli.options.examples import examples
from dcmcfg.cli.options.quantities import Quantity
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.verify.bulk_options import BulkOptions, bulk_options
from dcmcfg.cli.verify.destination_request import CommandResult, DestinationRequest
from dcmcfg.cli.verify.evidence_options import EvidenceFiles, EvidenceOptions, evidence_options, file_options
from dcmcfg.cli.verify.leftovers import warn_of_leftovers
from dcmcfg.cli.verify.one_study import verify_one
from dcmcfg.cli.verify.option_rules import require_consistent_options
from dcmcfg.cli.verify.options import ReceiveOptions, RetrieveOptions, receiving_options, retrieval_options
from dcmcfg.cli.verify.recall_options import RecallOptions, recall_options
from dcmcfg.cli.verify.run import VerifyRun
from dcmcfg.cli.verify.temporary_options import TemporaryDestinationOptions, temporary_options
from dcmcfg.dicom.uid import parse_uid
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.model.devices import Configuration
from dcmcfg.route.request import get_archive_ae
from dcmcfg.settings import Settings
from dcmcfg.verify.addresses import MAX_TIMEOUT_S, AddressOverride, extract_hosts, find_addresses


@click.command(
    "verify",
    cls=SiteCommand,
    epilog=examples(
        (
            "Send a study from here, with this machine as WORKSTATION",
            "dcmcfg verify --study 1.2.840.1 --dest WORKSTATION --receive",
        ),
        (
            "Is external retrieve shown? Look for a study that is purged",
            "dcmcfg verify --recall --dest WORKSTATION --receive --require-route",
        ),
        (
            "This machine is not in the tree: add it for this run only",
            "dcmcfg verify --study 1.2.840.1 --temporary-dest",
        ),
        (
            "Many studies, received here, with the answers in a file",
            "dcmcfg verify --query PatientID=4711 --dest WORKSTATION --receive --csv a.csv",
        ),
    ),
)
@click.option(
    "--study",
    "studies",
    multiple=True,
    metavar="UID",
    help="Study Instance UID of the study to move; several make a run over many.",
)
@click.option(
    "--dest",
    metavar="AET",
    shell_complete=complete_ae_title,
    help="Move Destination: the AE that the study is sent to.",
)
@click.option("--ae", metavar="AET", help="Archive AE that is asked; the device's only storage SCP by default.")
@click.option("--calling", default="DCMCFG", show_default=True, metavar="AET", help="Our own AE title.")
@click.option("--connect", metavar="HOST[:PORT]", help="Where to call the archive, instead of its address in the tree.")
@recall_options
@retrieval_options
@receiving_options
@temporary_options
@evidence_options
@file_options
@over_tls_option("Call the archive over TLS; by itself where it has no other way.")
@tls_options
@bulk_options
@click.option(
    "--timeout-s",
    type=Quantity(min=0, min_open=True, max=MAX_TIMEOUT_S),
    metavar="S",
    help="Seconds to wait for each response; by default longer than the archive waits itself (dcmRetrieveTimeout).",
)
@click.option("--details", is_flag=True, help="Report each C-STORE and each kept file, not only how many.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@site_options
def verify_command(
    settings: Settings,
    *,
    studies: tuple[str, ...],
    dest: str | None,
    ae: str | None,
    calling: str,
    connect: str | None,
    recalling: RecallOptions,
    retrieving: RetrieveOptions,
    receiving: ReceiveOptions,
    temporary: TemporaryDestinationOptions,
    bulk: BulkOptions,
    evidence_settings: EvidenceOptions,
    files: EvidenceFiles,
    over_tls: bool,
    tls: TlsOptions,
    timeout_s: float | None,
    details: bool,
    as_json: bool,
) -> int:
    """Prove with a real C-MOVE that a study arrives.

    Asks the archive what the study holds, has it sent to the destination, and says separately what the archive
    reported, what arrived, and whether the route through the external archive is shown.

    Many studies (several --study, --studies, --query) are verified in one run, whose answers are kept: the same command
    again goes on with it.

    Choose a study that the archive has purged, or have --recall look for one: the move recalls it, so a second run on
    the same study proves nothing about external retrieve.
    Exit code 0: verified, or reported by the archive without a witness. 1: not verified. 3: no C-MOVE was sent. 4: what
    --temporary-dest has added could not be taken back.
    """
    require_consistent_options(studies)
    selection, model_and_patient = retrieving.parse_selection(), retrieving.parse_model_and_patient()
    query_keys = recalling.parse_query_keys(bulk)
    source = None if recalling.recall else bulk.make_source(studies)
    if source is not None:
        bulk.require_valid_outputs(source, as_json=as_json, replace=files.replace)
    archive_ae = parse_ae_title(ae) if ae is not None else None
    calling = parse_ae_title(calling)
    files.require_file_type(many_studies=source is not None)
    files.require_writable(many_studies=source is not None)
    server_hosts = extract_hosts(settings.ldap_url, settings.archive_url)
    find_run_addresses = functools.partial(
        find_addresses,
        device_name=settings.device,
        ae_title=archive_ae,
        calling_ae_title=calling,
        connect=AddressOverride.parse(connect) if connect is not None else None,
        timeout_s=timeout_s,
        tls=over_tls,
        other_hosts=server_hosts,
    )
    receiver_options = receiving.make_receiver_settings(sha256=bool(files.paths) or (source is None and as_json))
    run = VerifyRun(
        settings,
        parse_uid(studies[0]) if studies and source is None else "",
        parse_ae_title(dest) if dest is not None else "",
        calling,
        selection,
        model_and_patient,
        retrieving.get_priority(),
        find_run_addresses,
        recalling,
        query_keys,
        receiver_options if receiving.is_enabled else None,
        evidence_settings,
        files,
        bulk,
        tls.get_tls_files(settings),
        as_json,
        details,
    )

    with open_directory(settings) as directory:
        if temporary.clean_temporary:
            import_attribute("verify.temporary_destination", "clean_leftovers")(
                settings, directory, yes=temporary.yes, as_json=as_json
            )
            return 0
        configuration = Configuration(read_tree(directory))
        if temporary.temporary_dest:
            addresses_before = find_run_addresses(configuration, destination_ae_title="", receive=False)
            tls.refuse_unused(calls_with_tls=addresses_before.tls)
            source = (
                import_attribute("verify.many_studies", "prepare_source")(run, source, addresses_before)
                if source is not None
                else None
            )
        if source is None:
            verify = functools.partial(verify_one, run, configuration)
        else:
            verify = functools.partial(
                import_attribute("verify.many_studies", "verify_many"), run, source, configuration
            )
        if temporary.temporary_dest:
            requested_ae = get_archive_ae(configuration.get_device(settings.device), archive_ae)
            destination_request = DestinationRequest(
                requested_ae,
                calling,
                find_run_addresses,
                server_hosts,
                receiver_options,
                run.tls_files,
                use_tls=over_tls,
            )
            verify_with_destination = import_attribute(
                "verify.temporary_destination", "verify_with_temporary_destination"
            )
            result: CommandResult = verify_with_destination(
                settings, directory, configuration, destination_request, temporary, verify
            )
    if not temporary.temporary_dest:
        warn_of_leftovers(settings, configuration)
        addresses = find_run_addresses(
            configuration, destination_ae_title=run.destination_ae_title, receive=run.receiver_settings is not None
        )
        tls.refuse_unused(
            calls_with_tls=addresses.tls,
            receives_with_tls=run.receiver_settings is not None and addresses.destination_requires_tls,
        )
        result = verify(addresses)
    code, make_json = result
    if as_json:
        print_json(make_json())
        sys.stdout.flush()
    return code
