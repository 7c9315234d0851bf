"""From the rows of a file to one plan for those that are good, and a reason for each that is not."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from dcmcfg.changes import Add
from dcmcfg.connectivity.call import Callee, Verdict
from dcmcfg.connectivity.probe import probe_all
from dcmcfg.dicom.peer import Peer
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.onboarding.additions import Secured, add_all
from dcmcfg.onboarding.classification import sort_rows
from dcmcfg.onboarding.proposal import LeftOut, Proposal
from dcmcfg.onboarding.row import Row
from dcmcfg.plan.plan import Already, Plan, make_plan


@dataclass(frozen=True)
class Probed:
    """A row with the verdict on its peer."""

    proposal: Proposal
    verdict: Verdict


class Watcher(Protocol):
    """Who is told how probing goes."""

    def begin(self, count: int) -> None:
        """Hear that *count* peers will be called."""
        ...

    def hear(self, probed: Probed) -> None:
        """Hear the verdict on one, in the order in which they come."""
        ...


@dataclass(frozen=True)
class Probing:
    """How peers are called: as ``calling``, ``parallel`` at once, with ``tls`` where rows want TLS.

    With ``keep_unreachable`` a row whose peer does not answer is taken all the same.
    """

    calling: str
    parallel: int
    keep_unreachable: bool
    watcher: Watcher
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True)
class Onboarding:
    """The ``plan`` of the rows that are taken, ``added``; those ``left_out``, the verdicts on peers, what to warn of.

    All in the order of the file.
    """

    plan: Plan
    added: tuple[Proposal, ...]
    left_out: tuple[LeftOut, ...]
    probed: tuple[Probed, ...]
    warnings: tuple[str, ...]


def onboard(tree: Tree, rows: Sequence[Row], secured: Secured, probing: Probing | None = None) -> Onboarding:
    """Return what *rows* come to in *tree*; with *probing* a new AE that listens must answer to be taken.

    An AE that is there is not called. Raises :class:`~dcmcfg.errors.NotFound` for a tree without a configuration.
    """
    configuration = Configuration(tree)
    found = sort_rows(configuration, rows)
    additions = add_all(configuration, found.new, secured)
    left_out = [*found.left_out, *additions.left_out]
    warnings = list(found.warnings)
    probed = _probed(additions.added, probing) if probing is not None else ()
    silent = [each for each in probed if not each.verdict.answered]
    if probing is not None and probing.keep_unreachable:
        warnings += (f"{each.proposal.row.place}: {each.proposal}: {each.verdict.problem}." for each in silent)
    elif silent:
        left_out += (LeftOut(each.proposal.row, _why_silent(each)) for each in silent)
        gone = {each.proposal.row.number for each in silent}
        # What another row builds on may be gone, such as the device that it would have made.
        kept = [each for each in additions.added if each.row.number not in gone]
        additions = add_all(configuration, kept, secured)
        left_out += additions.left_out
    plan = make_plan(tree, additions.wanted)
    so = tuple(Already(Add(ae.entry), content=True) for ae in found.already)
    return Onboarding(
        replace(plan, already=plan.already + so),
        additions.added,
        tuple(sorted(left_out, key=lambda each: each.row.number)),
        probed,
        (*warnings, *additions.warnings),
    )


def _why_silent(probed: Probed) -> str:
    return f"{probed.proposal.place}: {probed.verdict.problem}"


def _probed(proposals: Sequence[Proposal], probing: Probing) -> tuple[Probed, ...]:
    """Return the verdicts on those of *proposals* that listen."""
    listening = [each for each in proposals if each.listens and each.port is not None]
    callees = [
        Callee(Peer(each.title, each.host or "", each.port or 0, "its row"), tls=bool(each.tls)) for each in listening
    ]

    def on_verdict(number: int, verdict: Verdict) -> None:
        probing.watcher.hear(Probed(listening[number], verdict))

    probing.watcher.begin(len(listening))
    verdicts = probe_all(callees, probing.calling, tls=probing.tls, parallel=probing.parallel, on_verdict=on_verdict)
    return tuple(map(Probed, listening, verdicts))
