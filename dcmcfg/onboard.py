"""From the rows of a file to one plan for those that are good, and a reason for each that is not."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from dcmcfg.changes import Add
from dcmcfg.connectivity.call import CallResult, PeerEndpoint
from dcmcfg.connectivity.probe import probe_all
from dcmcfg.dicom.peer import Peer
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.onboarding.additions import CipherSuiteSource, add_proposals
from dcmcfg.onboarding.classification import classify_rows
from dcmcfg.onboarding.proposal import Proposal, RejectedRow
from dcmcfg.onboarding.row import Row
from dcmcfg.plan.plan import Plan, UnchangedItem, make_plan


@dataclass(frozen=True)
class ProbedRow:
    """A row with the verdict on its peer."""

    proposal: Proposal
    probe_result: CallResult


class ProbeObserver(Protocol):
    """Who is told how probing goes."""

    def on_begin(self, count: int) -> None:
        """Hear that *count* peers will be called."""
        ...

    def on_result(self, probed: ProbedRow) -> None:
        """Hear the verdict on one, in the order in which they come."""
        ...


@dataclass(frozen=True, kw_only=True)
class ProbeOptions:
    """How peers are called: as ``calling_ae_title``, ``parallel`` at once, with ``tls`` where rows want TLS.

    With ``keep_unreachable`` a row whose peer does not answer is taken all the same.
    """

    calling_ae_title: str
    parallel: int
    keep_unreachable: bool
    observer: ProbeObserver
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, kw_only=True)
class OnboardingResult:
    """The ``plan`` of the rows that are taken, ``added``; those ``rejected``, the verdicts on peers, what to warn of.

    All in the order of the file.
    """

    plan: Plan
    added: tuple[Proposal, ...]
    rejected: tuple[RejectedRow, ...]
    probed: tuple[ProbedRow, ...]
    warnings: tuple[str, ...]


def onboard(
    tree: Tree, rows: Sequence[Row], cipher_suite_source: CipherSuiteSource, probe_options: ProbeOptions | None = None
) -> OnboardingResult:
    """Return what *rows* come to in *tree*; with *probe_options* a new AE that listens must answer to be taken.

    An AE that is there is not called. Raises :class:`~dcmcfg.errors.NotFound` for a tree without a configuration.
    """
    configuration = Configuration(tree)
    found = classify_rows(configuration, rows)
    additions = add_proposals(configuration, found.new, cipher_suite_source)
    left_out = [*found.rejected, *additions.rejected]
    warnings = list(found.warnings)
    probed = _probe(additions.added, probe_options) if probe_options is not None else ()
    silent = [each for each in probed if not each.probe_result.is_answered]
    if probe_options is not None and probe_options.keep_unreachable:
        warnings += (f"{each.proposal.row.location}: {each.proposal}: {each.probe_result.problem}." for each in silent)
    elif silent:
        left_out += (RejectedRow(each.proposal.row, _format_probe_failure(each)) for each in silent)
        gone = {each.proposal.row.index for each in silent}
        # What another row builds on may be gone, such as the device that it would have made.
        kept = [each for each in additions.added if each.row.index not in gone]
        additions = add_proposals(configuration, kept, cipher_suite_source)
        left_out += additions.rejected
    plan = make_plan(tree, additions.desired)
    so = tuple(UnchangedItem(Add(ae.entry), is_content_record=True) for ae in found.unchanged)
    return OnboardingResult(
        plan=replace(plan, unchanged=plan.unchanged + so),
        added=additions.added,
        rejected=tuple(sorted(left_out, key=lambda each: each.row.index)),
        probed=probed,
        warnings=(*warnings, *additions.warnings),
    )


def _format_probe_failure(probed: ProbedRow) -> str:
    return f"{probed.proposal.address}: {probed.probe_result.problem}"


def _probe(proposals: Sequence[Proposal], probing: ProbeOptions) -> tuple[ProbedRow, ...]:
    """Return the verdicts on those of *proposals* that listen."""
    listening = [each for each in proposals if each.listens and each.port is not None]
    callees = [
        PeerEndpoint(Peer(each.title, each.host or "", each.port or 0, "its row"), tls=bool(each.tls))
        for each in listening
    ]

    def on_verdict(number: int, verdict: CallResult) -> None:
        probing.observer.on_result(ProbedRow(listening[number], verdict))

    probing.observer.on_begin(len(listening))
    verdicts = probe_all(
        callees, probing.calling_ae_title, tls=probing.tls, parallel=probing.parallel, on_result=on_verdict
    )
    return tuple(map(ProbedRow, listening, verdicts))
