"""Who changed an entry last, told with the refusal of a plan that the entry no longer fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from dcmcfg.directory.failures import ASSERTION_FAILED
from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN
from dcmcfg.errors import DcmcfgError, DirectoryError, DoesNotFit
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import Misfit, Misfits, Plan, Refusal, Wanted, plan_fitting, refused
from dcmcfg.plan.renamed_since import PastRename, names_an_absent_entry, with_new_names
from dcmcfg.rollout.preconditions import check_unmoved
from dcmcfg.timestamps import readable

_WHO, _WHEN = "modifiersName", "modifyTimestamp"
#: Of many refusals, so many are asked about; a message lists no more.
_ASKED = 20


def planned_telling_who(
    directory: Directory,
    tree: Tree,
    wanted: Sequence[Wanted],
    refusal: Refusal | None = None,
    *,
    go_on: bool,
    past: Callable[[], Sequence[PastRename]],
) -> tuple[Plan, tuple[Misfit, ...]]:
    """Return the plan of *wanted*, and with *go_on* what does not fit; without it that raises :class:`DoesNotFit`.

    *refusal* has a say in what fits. *past* returns the renames, the oldest first, that may have moved what is not
    there.
    """
    plan, misfits = plan_fitting(tree, wanted, refusal)
    if any(map(names_an_absent_entry, misfits)):
        misfits = with_new_names(misfits, tree, past())
    if misfits and not go_on:
        raise told(directory, refused(misfits, len(wanted)))
    return plan, told_who(directory, misfits)


def told_who(directory: Directory, misfits: Sequence[Misfit]) -> tuple[Misfit, ...]:
    """Return *misfits* with who changed the entry last; of many, the first ones."""
    asked = (replace(misfit, problem=told(directory, misfit.problem)) for misfit in misfits[:_ASKED])
    return (*asked, *misfits[_ASKED:])


@contextmanager
def telling_who(directory: Directory, plan: Plan | None = None) -> Iterator[None]:
    """Add who changed the entry last, and when, to a refusal of the block that has this reason.

    An assertion that broke at the server is told as one of *plan* that broke before it was sent: with the attribute
    and the values.
    """
    try:
        yield
    except DoesNotFit as refusal:
        raise told(directory, refusal) from refusal
    except DirectoryError as refusal:
        if refusal.result_code == ASSERTION_FAILED and plan is not None:
            _tell_what_moved(directory, plan)
        raise


def _tell_what_moved(directory: Directory, plan: Plan) -> None:
    """Raise :class:`DoesNotFit` for what *plan* no longer fits; return when that cannot be found out."""
    try:
        check_unmoved(directory, plan)
    except DoesNotFit as moved:
        raise told(directory, moved) from moved
    except DcmcfgError:  # the refusal itself says more
        return


def told(directory: Directory, refusal: DoesNotFit) -> DoesNotFit:
    """Return *refusal* with who changed the entry last and when, as far as the server says; times are UTC."""
    if isinstance(refusal, Misfits):
        asked = [told(directory, each) for each in refusal.problems[:_ASKED]]
        return Misfits((*asked, *refusal.problems[_ASKED:]), refusal.count)
    if not refusal.moved:
        return refusal
    what = f"{refusal.what}; {_last_change(directory, refusal.moved)}"
    return DoesNotFit(what, on=refusal.on, next_step=refusal.next_step, result_code=refusal.result_code)


def _last_change(directory: Directory, dn: str) -> str:
    try:
        entry = directory.read_entry(DN.parse(dn), (_WHO, _WHEN))
    except DcmcfgError as error:
        return f"who changed the entry last could not be read ({error.what})"
    if entry is None:
        return "the entry is gone, and a directory does not say who deleted or renamed it"
    who, when = entry.text(_WHO), entry.text(_WHEN)
    if who is None or when is None:
        return "the server does not say who changed the entry last"
    return f"{who} changed the entry last, {_told_time(when)}"


def _told_time(when: str) -> str:
    """Return a GeneralizedTime (RFC 4517 §3.3.13) as people write it; as it is when it is of a rarer form."""
    try:
        return readable(datetime.strptime(when, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC))
    except ValueError:
        return when
