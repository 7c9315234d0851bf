"""Temporary destinations that a run has left behind, told from those that somebody works with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from dcmcfg.dicom.connect import reach
from dcmcfg.dicom.echo import echo
from dcmcfg.dicom.peer import Peer, Timeouts
from dcmcfg.edits.temporary_mark import Remnant, names_left, remnants
from dcmcfg.errors import DcmcfgError, MalformedInput
from dcmcfg.model.devices import Configuration
from dcmcfg.temporary.claim import claims, is_held
from dcmcfg.temporary.maker_process import is_here, is_running
from dcmcfg.timestamps import readable

#: From this age on, what another machine has made counts as left behind if nobody answers there.
OLD = timedelta(days=1)
#: Whoever works with it listens, so that an answer comes at once or never.
_PATIENCE = Timeouts(connect=2, acse=2, dimse=2, network=2)
_CALLING = "DCMCFG"

Answers = Callable[[Peer, bool], bool]


@dataclass(frozen=True)
class Leftover:
    """A temporary destination that nobody is known to work with.

    ``sure`` is false where it may be in use all the same: another machine has made it not long ago. ``in_tree`` is
    false where the tree holds nothing of it, and only the archive may know it still.
    """

    title: str
    by: str
    sure: bool = True
    in_tree: bool = True

    @property
    def told(self) -> str:
        """By whom it was made and when, and what is not known of it."""
        if not self.in_tree:
            return f"{self.by}; the archive may know it still"
        return self.by if self.sure else f"{self.by}; it may be in use"

    def __str__(self) -> str:
        return f"{self.title} ({self.told})"


def answers(peer: Peer, tls: bool) -> bool:
    """Tell whether somebody listens as *peer*, by a C-ECHO; with *tls*, whether anybody listens there at all."""
    try:
        if tls:
            reach(peer, _PATIENCE)
        else:
            echo(peer, _CALLING, _PATIENCE)
    except DcmcfgError:
        return False
    return True


def leftovers(
    state: Path, ldap_url: str, configuration: Configuration, now: datetime, answers: Answers = answers
) -> tuple[Leftover, ...]:
    """Return what was left in *configuration*, by its marks and by the claims in *state* on the directory *ldap_url*.

    What a process works with is left out: one that holds its claim, that runs on this machine, or that *answers*
    at the address under the title.
    """
    marked = {each.title: each for each in remnants(configuration)}
    found = [*_claimed(state, ldap_url, configuration, marked), *_marked(state, marked, now, answers)]
    return tuple(sorted({each.title: each for each in reversed(found)}.values(), key=lambda each: each.title))


def _claimed(
    state: Path, ldap_url: str, configuration: Configuration, marked: dict[str, Remnant]
) -> Iterator[Leftover]:
    for claim in claims(state):
        if is_held(state, claim.title) or not (claim.is_on(ldap_url) or claim.title in marked):
            continue
        in_tree = bool(names_left(configuration.tree, claim.title))
        yield Leftover(claim.title, claim.made, in_tree=in_tree)


def _marked(state: Path, marked: dict[str, Remnant], now: datetime, answers: Answers) -> Iterator[Leftover]:
    for remnant in marked.values():
        maker = remnant.maker
        here = is_here(maker)
        if is_held(state, remnant.title) or (here and is_running(maker)):
            continue
        if _listens(remnant, answers):
            continue
        yield Leftover(remnant.title, f"of {maker}, {readable(maker.when)}", sure=here or now - maker.when > OLD)


def _listens(remnant: Remnant, answers: Answers) -> bool:
    try:
        return answers(Peer(remnant.title, remnant.host or "", remnant.port or 0), remnant.tls)
    except MalformedInput:  # somebody has taken its connection away, or made it one that nobody can call
        return False
