"""``dcmcfg verify`` over many studies."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dcmcfg.bulk.attempt import Asking, Proven, Requests, as_judged
from dcmcfg.bulk.destination import require_known
from dcmcfg.bulk.report import Report
from dcmcfg.bulk.requirements import Required
from dcmcfg.bulk.run import Ending
from dcmcfg.bulk.run_options import Asked, ReceivedBy, asked_about
from dcmcfg.bulk.session import Anew, Done, Session, deciding_tree
from dcmcfg.bulk.source import Matching, Named, Source, matched
from dcmcfg.bulk.store import Store
from dcmcfg.bulk.store_catalog import FOLDER, SUFFIX
from dcmcfg.bulk.study_result import Outcome
from dcmcfg.cli import invocation
from dcmcfg.cli.lazy_import import loaded
from dcmcfg.cli.printing import tell
from dcmcfg.cli.session.failures import INTERRUPTED
from dcmcfg.cli.session.output import STDOUT, write_report
from dcmcfg.cli.session.status_hint import next_step_of, status_advised
from dcmcfg.cli.terminal import ask
from dcmcfg.cli.verify.after_sending import a_no_once_sent
from dcmcfg.cli.verify.bulk_options import Bulk
from dcmcfg.cli.verify.destination_request import Answered
from dcmcfg.cli.verify.one_study import proposed, proposing
from dcmcfg.cli.verify.run import Verification
from dcmcfg.dicom.move import Cancellation
from dcmcfg.errors import AnswerIsNo, DcmcfgError
from dcmcfg.render.bulk import bulk_json, print_bulk
from dcmcfg.render.bulk_files import bulk_csv, bulk_junit
from dcmcfg.render.bulk_progress import bulk_progress
from dcmcfg.render.html.bulk_page import bulk_html
from dcmcfg.render.terminal.console import stderr_console, stdout_console
from dcmcfg.route.command import command
from dcmcfg.settings.folders import folder_in_state
from dcmcfg.verify.addresses import Addresses
from dcmcfg.verify.evidence import Evidence, Question
from dcmcfg.verify.judge import judge
from dcmcfg.verify.verdict import Verdict

if TYPE_CHECKING:
    from dcmcfg.cli.verify.temporary_destination import Place
    from dcmcfg.dicom.peer import Peer
    from dcmcfg.model.devices import Configuration

#: More studies than that are asked about where nobody has said how many may match.
_MANY = 100
_FORMS = {"csv": bulk_csv, "junit": bulk_junit, "html": bulk_html}


def verify_many(
    run: Verification, source: Source, configuration: Configuration, addresses: Addresses, place: Place | None = None
) -> Answered:
    """Verify the studies of *source*, print and write what came of it; return the exit code, and what JSON tells.

    *configuration* is the tree's, without *place*, a destination that is there for this run only. The
    witnesses of each study are those of :meth:`EvidenceWanted.witnesses_of_many`.
    """
    if place is None:
        require_known(run.destination, addresses)
    bulk, wanted, files, listening = run.bulk, run.wanted, run.files, run.listening_at(addresses)
    manner = bulk.manner
    own = listening.as_destination(addresses, lambda _: None) if listening and place is None else None
    receiver = place.receiver if place else own
    question = run.question(addresses, destination=place.title if place else "")
    received_by = ReceivedBy.TEMPORARY if place else ReceivedBy.OTHERS if receiver is None else ReceivedBy.US
    asked = _asked(run, addresses, question, received_by)
    source = _sought(run, source, asked, question, addresses)
    tree = deciding_tree(configuration, run.settings.device, addresses, question)
    with a_no_once_sent() as sent:
        with Store.opened(_store_of(bulk, source, asked), asked) as store, own or nullcontext():
            asking = Asking(
                question,
                addresses,
                store,
                Cancellation(),
                Requests(question.calling),
                run.client_tls(addresses),
                receiver,
                wanted.witnesses_of_many(run.settings, addresses.archive.ae_title),
                tree,
                sent,
                place.advised if place else as_judged,
                _keeping(run, place.configuration if place else configuration, addresses, place),
            )
            recall = command("verify", "--recall", *(["--temporary-dest"] if place else ["--dest", run.destination]))
            required = Required(wanted.require_route, None if bulk.only_failed else tree, recall)
            done = Session(asking, source, manner, bulk_progress, _anew(bulk), required).go()
        next_steps = tuple(map(proposed, _next_steps(done, place, _anew(bulk), addresses.archive)))
        report = done.report.told(functools.cache(proposed))
        notes = (*_of_keeping(bulk, source), *done.notes)
        code = _exit_code(done, sent=sent.is_set())
        told = functools.partial(bulk_json, report, notes, next_steps, accepted=code == 0)
        invocation.current().so_far = place.with_verdict(told) if place else told
        if not run.as_json:
            _print(report, notes, next_steps, aside=STDOUT in bulk.reports.values())
        for folder in files.evidence:
            tell(f"evidence: {folder}")
        for form, target in bulk.reports.items():
            write_report(target, _FORMS[form](report), new=not files.replace and target != STDOUT)
            if target != STDOUT:
                tell(f"{form}: {target}")
    return code, told


def _print(report: Report, notes: tuple[str, ...], next_steps: tuple[str, ...], *, aside: bool) -> None:
    """Print the summary; *aside*, where standard output is for a file, on standard error."""
    print_bulk(report, notes, next_steps, stderr_console() if aside else stdout_console())
    sys.stdout.flush()


def _of_keeping(bulk: Bulk, source: Source) -> Iterator[str]:
    """Yield what is to be said where an option that is not for that alone has the answer about one study kept."""
    if isinstance(source, Named) and len(set(source.uids)) == 1 and bulk.results is None:
        yield f"{bulk.keeping} has the answer kept, as those of many studies are: the same command again asks nothing"


def _keeping(
    run: Verification, configuration: Configuration, addresses: Addresses, place: Place | None
) -> Callable[[Proven], None] | None:
    """Return what keeps the evidence on each study; None where that is not wanted."""
    if not run.files.evidence:
        return None
    tell = proposing()

    def judged(evidence: Evidence) -> Verdict:
        verdict = judge(evidence, require_route=run.wanted.require_route)
        verdict = place.advised(verdict, evidence) if place else verdict
        return replace(verdict, next_steps=tuple(map(tell, verdict.next_steps)))

    keep: Callable[[Proven], None] = loaded("verify.evidence_files", "folder_of_proofs")(
        run.files, run.settings, configuration, addresses, judged
    )
    return keep


def look_first(run: Verification, source: Source, addresses: Addresses) -> Source:
    """Return *source* with all that must be known of it before a temporary destination is added for it.

    Raises :class:`DcmcfgError` where the store cannot be had or is another question's, and what
    :func:`~dcmcfg.bulk.source.matched` does for a query that has to be asked.
    """
    question = run.question(addresses)
    asked = _asked(run, addresses, question, ReceivedBy.TEMPORARY)
    return _sought(run, source, asked, question, addresses)


def _sought(run: Verification, source: Source, asked: Asked, question: Question, addresses: Addresses) -> Source:
    """Return *source*, a query with what matches it unless the store has that; no store is made or changed for it."""
    listed_at = Store.look(_store_of(run.bulk, source, asked), asked, source.name)
    if not isinstance(source, Matching) or source.found is not None or (listed_at is not None and not run.bulk.again):
        return source
    with status_advised(addresses.archive):
        return matched(source, question, addresses, run.client_tls(addresses), _consent)


def _store_of(bulk: Bulk, source: Source, asked: Asked) -> Path:
    return bulk.results or folder_in_state(FOLDER) / f"{asked.key(source.name)}{SUFFIX}"


def _asked(run: Verification, addresses: Addresses, question: Question, received_by: ReceivedBy) -> Asked:
    """Return what a store is known by."""
    keeps_files = run.listening is not None and run.listening.keep is not None
    return asked_about(question, addresses, run.settings, received_by, keeps_files=keeps_files)


def _anew(bulk: Bulk) -> Anew:
    if bulk.again:
        return Anew.ALL
    return Anew.FAILED if bulk.only_failed else Anew.NONE


def _consent(found: Matching) -> None:
    """Say how many studies match, and ask whether they are meant where they are many and nobody has said how many."""
    number = len(found.read().uids)
    studies = "1 study matches" if number == 1 else f"{number:,} studies match"
    taken = f"more than {number:,} match, {number:,} taken" if found.leaves_out else studies
    tell(taken)
    if number <= _MANY or found.limit is not None:
        return
    if not sys.stdin.isatty():
        raise AnswerIsNo(
            f"{number:,} studies match, and there is no terminal to ask on; nothing was asked of the archive",
            next_step=f"--limit {number} says that so many are meant",
        )
    if not ask(f"Have {number:,} studies sent?"):
        raise AnswerIsNo("nothing was sent")


def _next_steps(done: Done, place: Place | None, anew: Anew, archive: Peer) -> list[str]:
    steps = []
    if done.error is not None:
        parts = (done.error.on, done.error.what, next_step_of(done.error, archive))
        steps.append(": ".join(part for part in parts if part))
    if done.report.summary.open:
        without = {Anew.ALL: " without --again", Anew.FAILED: " without --only-failed"}.get(anew, " again")
        steps.append(f"the same command{without} goes on: what has its answer is not asked again")
    if done.report.summary.counts.get(Outcome.OUTDATED):
        steps.append("the tree was changed: the same command with --again asks for all anew")
    if done.report.summary.mendable and not done.report.summary.open:
        instead = " instead of --again" if anew is Anew.ALL else ""
        steps.append(f"once that is mended, the same command with --only-failed{instead} asks for those anew")
    if place is not None and done.report.summary.counts and not done.report.summary.instances:
        steps.append(place.unreached())
    return steps


def _exit_code(done: Done, *, sent: bool) -> int:
    """Return 0 when all is well and 1 when it is not, but 3 where no C-MOVE was sent although some were to be."""
    if done.report.summary.all_yes and done.error is None:
        return 0
    if sent or not done.tried:
        return 1
    return INTERRUPTED if done.ending is Ending.STOPPED else DcmcfgError.exit_code
