"""Plan the import of the AEs in a file: one plan for all valid rows, and a reason for each rejected row."""

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
from dcmcfg.onboarding.row import SheetRow
from dcmcfg.plan.plan import Plan, UnchangedItem, make_plan


@dataclass(frozen=True)
class ProbedRow:
    """A row with the result of the call to its peer."""

    proposal: Proposal
    probe_result: CallResult


class ProbeObserver(Protocol):
    """Receives the progress of the calls to peers."""

    def on_begin(self, count: int) -> None:
        """Note that *count* peers will be called."""
        ...

    def on_result(self, probed: ProbedRow) -> None:
        """Note the result of one peer; results arrive in any order."""
        ...


@dataclass(frozen=True, kw_only=True)
class ProbeOptions:
    """Options for the calls to peers.

    dcmcfg calls as ``calling_ae_title``, ``parallel`` peers at the same time, and uses ``tls`` for rows with TLS. With
    ``keep_unreachable``, rows whose peer does not answer are added too.
    """

    calling_ae_title: str
    parallel: int
    keep_unreachable: bool
    observer: ProbeObserver
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, kw_only=True)
class OnboardingResult:
    """The result of an import: the ``plan``, the rows in it (``added``), and the ``rejected`` rows.

    ``probed`` has the results of the calls to peers. All are in the order of the file.
    """

    plan: Plan
    added: tuple[Proposal, ...]
    rejected: tuple[RejectedRow, ...]
    probed: tuple[ProbedRow, ...]
    warnings: tuple[str, ...]


def onboard(
    tree: Tree,
    rows: Sequence[SheetRow],
    cipher_suite_source: CipherSuiteSource,
    probe_options: ProbeOptions | None = None,
) -> OnboardingResult:
    """Return the result of importing *rows* into *tree*.

    With *probe_options*, each new AE that listens is called, and is rejected if it does not answer. Existing AEs are
    not called. Raises :class:`~dcmcfg.errors.NotFound` for a tree without a configuration.
    """
    configuration = Configuration(tree)
    classified = classify_rows(configuration, rows)
    additions = add_proposals(configuration, classified.new, cipher_suite_source)
    rejected = [*classified.rejected, *additions.rejected]
    warnings = list(classified.warnings)
    # Only peers of rows that can be added are called.
    probed = _probe(additions.added, probe_options) if probe_options is not None else ()
    unreachable = [each for each in probed if not each.probe_result.is_success]
    if probe_options is not None and probe_options.keep_unreachable:
        warnings += (
            f"{each.proposal.row.location}: {each.proposal}: {each.probe_result.problem}." for each in unreachable
        )
    elif unreachable:
        rejected += (RejectedRow(each.proposal.row, _format_probe_failure(each)) for each in unreachable)
        unreachable_rows = {each.proposal.row.index for each in unreachable}
        # A remaining row may depend on a rejected one, for example on the device that the rejected row would create.
        remaining = [each for each in additions.added if each.row.index not in unreachable_rows]
        additions = add_proposals(configuration, remaining, cipher_suite_source)
        rejected += additions.rejected
    plan = make_plan(tree, additions.desired)
    unchanged = tuple(UnchangedItem(Add(ae.entry), is_content_record=True) for ae in classified.unchanged)
    return OnboardingResult(
        plan=replace(plan, unchanged=plan.unchanged + unchanged),
        added=additions.added,
        rejected=tuple(sorted(rejected, key=lambda each: each.row.index)),
        probed=probed,
        warnings=(*warnings, *additions.warnings),
    )


def _format_probe_failure(probed: ProbedRow) -> str:
    return f"{probed.proposal.address}: {probed.probe_result.problem}"


def _probe(proposals: Sequence[Proposal], options: ProbeOptions) -> tuple[ProbedRow, ...]:
    """Call those of *proposals* that listen, and return the results."""
    listening = [each for each in proposals if each.listens and each.port is not None]
    endpoints = [
        PeerEndpoint(Peer(each.title, each.host or "", each.port or 0, "its row"), tls=bool(each.tls))
        for each in listening
    ]

    def on_result(number: int, result: CallResult) -> None:
        options.observer.on_result(ProbedRow(listening[number], result))

    options.observer.on_begin(len(listening))
    results = probe_all(
        endpoints, options.calling_ae_title, tls=options.tls, parallel=options.parallel, on_result=on_result
    )
    return tuple(map(ProbedRow, listening, results))
