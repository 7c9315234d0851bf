"""``dcmcfg verify``."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.cli import invocation
from dcmcfg.cli.answer import print_json
from dcmcfg.cli.asking import Answered, Asking
from dcmcfg.cli.cancelling import cancelling_on_interrupt
from dcmcfg.cli.completing import complete_title
from dcmcfg.cli.directory import open_directory
from dcmcfg.cli.failures import DEBUG
from dcmcfg.cli.leftovers import warn_of_leftovers
from dcmcfg.cli.loading import loaded
from dcmcfg.cli.site import SiteCommand, site_options
from dcmcfg.cli.verify_bulk import Bulk, bulk_options
from dcmcfg.cli.verify_evidence import EvidenceWanted, evidence_options
from dcmcfg.cli.verify_files import EvidenceFiles, file_options
from dcmcfg.cli.verify_recall import Recalling, recall_options
from dcmcfg.cli.verify_receiving import Receiving, receiving_options
from dcmcfg.cli.verify_retrieval import Retrieving, retrieval_options
from dcmcfg.cli.verify_temporary import Temporary, temporary_options
from dcmcfg.cli.verify_tls import TlsOptions, tls_options
from dcmcfg.devices import Configuration
from dcmcfg.dicom.cancel import Cancellation
from dcmcfg.dicom.tls import TlsFiles
from dcmcfg.dicom.uid import parse_uid
from dcmcfg.directory.reading import read_tree
from dcmcfg.errors import AnswerIsNo, DcmcfgError
from dcmcfg.render.verify import print_verdict, verdict_json, verify_progress
from dcmcfg.route.question import asked_ae
from dcmcfg.settings import Settings
from dcmcfg.verify.addresses import LONGEST_S, Address, Addresses, find_addresses, server_hosts
from dcmcfg.verify.chronicle import Chronicle
from dcmcfg.verify.evidence import Question
from dcmcfg.verify.judge import judge
from dcmcfg.verify.listening import Listening
from dcmcfg.verify.recall import Recall
from dcmcfg.verify.run import gather

if TYPE_CHECKING:
    from dcmcfg.cli.temporary_destination import Place


@click.command("verify", cls=SiteCommand)
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
    shell_complete=complete_title,
    help="Move Destination: the AE that the study is sent to.",
)
@click.option("--ae", metavar="AET", help="Archive AE that is asked; the device's only storage SCP by default.")
@click.option("--calling", default="DCMCFG", show_default=True, metavar="AET", help="Our own AE title.")
@click.option("--connect", metavar="HOST[:PORT]", help="Where to call the archive, instead of its address in the tree.")
@recall_options
@retrieval_options
@receiving_options
@temporary_options
@bulk_options
@evidence_options
@file_options
@tls_options
@click.option(
    "--timeout-s",
    type=click.FloatRange(min=0, min_open=True, max=LONGEST_S),
    metavar="S",
    help="Seconds to wait for each response; by default longer than the archive waits itself (dcmRetrieveTimeout).",
)
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
    recalling: Recalling,
    retrieving: Retrieving,
    receiving: Receiving,
    temporary: Temporary,
    bulk: Bulk,
    wanted: EvidenceWanted,
    files: EvidenceFiles,
    tls: TlsOptions,
    timeout_s: float | None,
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
    tls.check()
    selection, (model, patient) = retrieving.selection(), retrieving.root()
    keys = recalling.keys(studies, bulk)
    temporary.require_sense("" if recalling.recall else bulk.named(studies), dest)
    many = None if recalling.recall else bulk.source(studies)
    study_uid = parse_uid(studies[0]) if studies else ""
    destination, calling = parse_ae_title(dest) if dest is not None else "", parse_ae_title(calling)
    archive_ae = parse_ae_title(ae) if ae is not None else None
    files.refuse_unwritable()
    listening = receiving.listening()
    servers = server_hosts(settings.ldap_url, settings.archive_url)
    find = functools.partial(
        find_addresses,
        device_name=settings.device,
        ae=archive_ae,
        calling=calling,
        connect=Address.parse(connect) if connect is not None else None,
        timeout_s=timeout_s,
        tls=tls.tls,
        elsewhere=servers,
    )

    book = Chronicle()
    secured = tls.files(settings)

    def ask(addresses: Addresses, place: Place | None = None) -> Answered:
        witnesses = wanted.witnesses(settings, addresses.archive.ae_title)
        client_tls = secured.client_context() if addresses.tls else None
        device = configuration.device(settings.device)
        chosen = recalling.choose(Recall(device, addresses, calling, keys, witnesses.database, client_tls))
        if chosen is not None:
            addresses = replace(addresses, warnings=(*addresses.warnings, f"chosen by --recall: {chosen.why}"))
        question = Question(
            chosen.study_uid if chosen else study_uid,
            addresses.archive,
            place.title if place else destination,
            calling,
            wanted.expect,
            selection,
            model,
            patient,
            retrieving.urgency(),
        )
        received = _at(listening, addresses, secured)
        if many is not None:
            answer: Answered = loaded("verify_many", "verify_many")(
                bulk,
                many,
                settings,
                addresses,
                replace(question, study_uid=""),
                listening=received,
                wanted=wanted,
                files=files,
                place=place,
                tls=client_tls,
                as_json=as_json,
            )
            return answer
        cancellation = Cancellation()
        with _a_no_once_sent() as sent:
            with verify_progress() as watcher, cancelling_on_interrupt(cancellation, watcher.on_step) as moving:
                evidence = gather(
                    question,
                    addresses,
                    tls=client_tls,
                    receive=received,
                    receiver=place.watched(watcher.on_received) if place else None,
                    witnesses=witnesses,
                    cancellation=cancellation,
                    watcher=book.of(replace(watcher, on_asking=moving, on_sent=sent.now)),
                )
            verdict = judge(evidence, require_witness=wanted.require_witness, require_route=wanted.require_route)
            verdict = place.advised(verdict) if place else verdict
            verdict = replace(verdict, next_steps=tuple(map(invocation.current().spoken, verdict.next_steps)))
            if not as_json:
                print_verdict(verdict, evidence)
                sys.stdout.flush()
            told = functools.partial(verdict_json, verdict, evidence)
            if files.evidence:
                invocation.current().so_far = place.with_verdict(told) if place else told
                tree = place.configuration if place else configuration
                write = loaded("proof_files", "write_proof")
                write(files, settings, tree, addresses, book, evidence, verdict)
        return verdict.exit_code, told

    with open_directory(settings) as directory:
        if temporary.clean_temporary:
            loaded("temporary_destination", "clean_leftovers")(settings, directory, yes=temporary.yes, as_json=as_json)
            return 0
        configuration = Configuration(read_tree(directory))
        if temporary.temporary_dest:
            asked = asked_ae(configuration.device(settings.device), archive_ae)
            asking = Asking(asked, calling, find, servers, listening or Listening(), secured, tls=tls.tls)
            run = loaded("temporary_destination", "with_temporary_destination")
            answered: Answered = run(settings, directory, configuration, asking, temporary, ask)
    if not temporary.temporary_dest:
        warn_of_leftovers(settings, configuration)
        answered = ask(find(configuration, destination=destination, receive=listening is not None))
    code, told = answered
    if as_json:
        print_json(told())
        sys.stdout.flush()
    return code


def _at(listening: Listening | None, addresses: Addresses, secured: TlsFiles) -> Listening | None:
    """Return how we listen at *addresses*: with TLS where the tree says so."""
    if listening is None or not addresses.receives_tls:
        return listening
    return replace(listening, tls=secured.server_context())


@dataclass
class _Sent:
    """Whether the C-MOVE was sent."""

    sent: bool = False

    def now(self) -> None:
        self.sent = True


@contextmanager
def _a_no_once_sent() -> Iterator[_Sent]:
    """Make any failure after the C-MOVE was sent :class:`AnswerIsNo`: 3 would say that none was."""
    state = _Sent()
    try:
        yield state
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        if not state.sent:
            raise
        raise AnswerIsNo(
            "interrupted: the C-MOVE was sent, and how it ended was not waited for",
            next_step="look at the destination for what arrived; the archive was asked to stop",
        ) from None
    except Exception as error:
        if not state.sent or os.environ.get(DEBUG):
            raise
        match error:
            case DcmcfgError():
                raise AnswerIsNo(error.what, on=error.on, next_step=error.next_step) from error
            case OSError():
                problem = error.strerror or str(error)
            case _:
                problem = f"internal error, {type(error).__name__}: {error}"
        raise AnswerIsNo(
            f"the C-MOVE was sent, but how it went cannot be told ({problem})",
            next_step=f"look at the destination for what arrived; {DEBUG}=1 shows where it failed",
        ) from error
