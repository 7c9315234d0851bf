"""``dcmcfg verify`` of one study."""

from __future__ import annotations

import functools
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from dcmcfg.cli import invocation
from dcmcfg.cli.archive_unreachable import status_advised
from dcmcfg.cli.asking import Answered
from dcmcfg.cli.cancelling import cancelling_on_interrupt
from dcmcfg.cli.carried import proposed
from dcmcfg.cli.loading import loaded
from dcmcfg.cli.once_sent import a_no_once_sent
from dcmcfg.cli.verification import Verification
from dcmcfg.devices import Configuration
from dcmcfg.dicom.cancel import Cancellation
from dcmcfg.render.verify import print_verdict, verdict_json, verify_progress
from dcmcfg.verify.addresses import Addresses
from dcmcfg.verify.chronicle import Chronicle
from dcmcfg.verify.judge import judge
from dcmcfg.verify.recall import Recall
from dcmcfg.verify.run import gather

if TYPE_CHECKING:
    from dcmcfg.cli.temporary_destination import Place


def verify_one(
    run: Verification, configuration: Configuration, addresses: Addresses, place: Place | None = None
) -> Answered:
    """Verify the study that *run* names or looks for; print the verdict, keep the evidence where that is wanted.

    Returns the exit code, and what JSON tells. *place* is a destination that is there for this run only. Raises
    :class:`~dcmcfg.errors.DcmcfgError` when no C-MOVE could be sent, and :class:`~dcmcfg.errors.AnswerIsNo` when one
    was and how it went cannot be told.
    """
    wanted, cancellation, book = run.wanted, Cancellation(), Chronicle()
    witnesses = wanted.witnesses(run.settings, addresses.archive.ae_title)
    tls = run.client_tls(addresses)
    device = configuration.device(run.settings.device)
    with status_advised(addresses.archive):
        chosen = run.recalling.choose(Recall(device, addresses, run.calling, run.keys, witnesses.database, tls))
    if chosen is not None:
        addresses = replace(addresses, warnings=(*addresses.warnings, f"chosen by --recall: {chosen.why}"))
    question = run.question(
        addresses, study_uid=chosen.study_uid if chosen else "", destination=place.title if place else ""
    )
    listening = run.listening_at(addresses)
    with status_advised(addresses.archive), a_no_once_sent() as sent:
        with verify_progress() as watcher, cancelling_on_interrupt(cancellation, watcher.on_step) as moving:
            evidence = gather(
                question,
                addresses,
                tls=tls,
                receive=listening,
                receiver=place.watched(watcher.on_received) if place else None,
                witnesses=witnesses,
                cancellation=cancellation,
                watcher=book.of(replace(watcher, on_asking=moving, on_sent=sent.set)),
            )
        verdict = judge(evidence, require_route=wanted.require_route)
        verdict = place.advised(verdict, evidence) if place else verdict
        verdict = replace(verdict, next_steps=tuple(map(proposed, verdict.next_steps)))
        if not run.as_json:
            print_verdict(verdict, evidence, details=run.details)
            sys.stdout.flush()
        told = functools.partial(verdict_json, verdict, evidence)
        if run.files.evidence:
            invocation.current().so_far = place.with_verdict(told) if place else told
            tree = place.configuration if place else configuration
            write = loaded("proof_files", "write_proof")
            write(run.files, run.settings, tree, addresses, book, evidence, verdict)
    return verdict.exit_code, told
