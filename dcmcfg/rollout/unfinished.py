"""What an interrupted roll-out has left to do, and what takes it back."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from dcmcfg.changes import Change
from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN
from dcmcfg.errors import DcmcfgError, DoesNotFit, Refused
from dcmcfg.model.tree import Draft, Tree
from dcmcfg.plan import entry_diff
from dcmcfg.plan.plan import Plan, Wanted, make_plan
from dcmcfg.plan.server_schema import ServerRules, require_accepted
from dcmcfg.rollout.history import History, not_finished
from dcmcfg.rollout.lock import directory_lock
from dcmcfg.rollout.reconciliation import as_said, await_writes, how_many_made, touched
from dcmcfg.rollout.record import Record
from dcmcfg.suggestions import first_of

#: Of many roll-outs, so many are told.
_TOLD = 3


def settle(state: Path, directory: Directory, *, leaving: int | None = None) -> Record | None:
    """Settle each roll-out on *directory* that was cut off; return the newest that its journal called unfinished.

    What became of the steps that were under way is found out by reading, and noted: the roll-out returned may turn out
    to be complete, or to have changed nothing, and an older one to be unfinished (:meth:`History.unfinished`).
    *leaving* is the number of one that is left as it is. Raises :class:`Refused` while another roll-out is under way or
    when the directory holds neither what was nor what was planned, and :class:`~dcmcfg.errors.DirectoryError`.
    """
    url = directory.server.url
    if History(state).unfinished(url) is None:
        return None
    with directory_lock(state, url):
        newest = found = History(state).unfinished(url)
        while found is not None and found.number != leaving and not found.progress().ended:
            _settle(found, directory)
            found = History(state).unfinished(url)
        return newest


def require_finished(state: Path, directory: Directory, *, but: int | None = None) -> None:
    """Raise :class:`Refused` when a roll-out has left *directory* half changed, and what :func:`settle` raises.

    *but* is the number of the one that is about to be taken back.
    """
    settle(state, directory, leaving=but)
    refuse_unfinished(state, directory.server.url, but=but)


def refuse_unfinished(state: Path, ldap_url: str, *, but: int | None = None) -> None:
    """Raise :class:`Refused` when a journal says that the directory at *ldap_url* is half changed.

    *but* is the number of the roll-out that is about to be taken back or gone on with.
    """
    history = History(state)
    found = history.unfinished(ldap_url) if but is None else history.unfinished_beside(history.numbered(but))
    if found is not None:
        raise not_finished(found)


def plan_left(record: Record, tree: Tree) -> Plan:
    """Return the plan from *tree* to what *record* was to make; raises :class:`DoesNotFit` when the tree has moved."""
    return _strict(record, tree, record.changes[record.progress().done :])


def plan_back(record: Record, tree: Tree, since: Sequence[Record] = (), rules: ServerRules | None = None) -> Plan:
    """Return the plan that takes back what *record* did.

    Raises :class:`DoesNotFit` when the tree has moved, naming those of the roll-outs *since* that have changed the
    entry or what is below it, when somebody's change since would be lost on the way, and for what *rules* refuse.
    """
    done = record.progress().done
    plan = _strict(record, tree, record.undo(done), since)
    _refuse_loss(record, plan, record.changes[:done])
    if rules is not None:
        _refuse_unaccepted(record, plan, rules)
    return plan


def _refuse_unaccepted(record: Record, back: Plan, rules: ServerRules) -> None:
    try:
        require_accepted(back, rules)
    except DoesNotFit as refused:
        next_step = "; ".join(filter(None, (refused.next_step, _what_fits(record))))
        raise DoesNotFit(
            refused.what,
            on=refused.on,
            next_step=next_step,
            result_code=refused.result_code,
            details=refused.details,
        ) from refused


def _strict(record: Record, tree: Tree, changes: Sequence[Change], since: Sequence[Record] = ()) -> Plan:
    try:
        return make_plan(tree, [Wanted(change, strict=True) for change in changes])
    except DoesNotFit as moved:
        finished = record.progress().done == record.head.steps
        raise DoesNotFit(
            f"the tree has moved since roll-out {record.number}: {moved.what}",
            on=moved.on,
            next_step=f"{_first(tree, moved, since)}; {_what_fits(record)}" if finished else _in_part(record),
            result_code=moved.result_code,
            moved=moved.moved,
            details=moved.details,
        ) from moved


def _first(tree: Tree, moved: DoesNotFit, since: Sequence[Record]) -> str:
    """Return what is to be done before that which *moved* tells of fits."""
    touching = [each for each in since if _touches(tree, each, moved.moved or moved.on)]
    if not touching:
        return "take back first what was changed since, or change it by hand"
    commands = first_of([f"dcmcfg undo {each.number}" for each in touching], _TOLD, ", then ")
    return f"take back first what was changed since: {commands}; or change it by hand"


def _touches(tree: Tree, record: Record, name: str) -> bool:
    """Tell whether *record* has changed the entry called *name*, or one below it."""
    try:
        key = tree.key(DN.parse(name))
        changed = map(tree.key, touched(record.changes[: record.progress().done]))
        return any(each[len(each) - len(key) :] == key for each in changed if len(each) >= len(key))
    except DcmcfgError:  # what is no DN, and a record that cannot be read, which is not the one that is asked for
        return False


def overwritten(record: Record, back: Plan, *, accepted: bool) -> tuple[str, ...]:
    """Return a warning for each entry of which *back*, from the undo file of *record*, overwrites what came since.

    Raises :class:`DoesNotFit` for the first one, and :class:`Refused` where the record cannot be read, unless
    *accepted*.
    """
    try:
        found = tuple(_overwritten(record, back))
    except DcmcfgError as damaged:
        if accepted:
            return ()
        raise Refused(
            f"it is unknown whether changes since roll-out {record.number} would be lost ({damaged.what})",
            on=damaged.on,
            next_step=f"compare {record.undo_file} with the tree, and apply it all the same: {_all_the_same(record)}",
        ) from damaged
    if found and not accepted:
        raise _loss(record, *found[0])
    return tuple(
        f"{dn}: somebody has changed {', '.join(names)} since roll-out {record.number}, and that value is lost"
        for dn, names in found
    )


def _overwritten(record: Record, back: Plan) -> Iterator[tuple[DN, tuple[str, ...]]]:
    """Yield as :func:`losses` does what *back* would lose, which may be a part of the undo."""
    draft, redone = Draft(back.after), list[Change]()
    for change in record.changes if back.steps else ():
        with suppress(DoesNotFit):  # its undo was left out, or it could not be made any more
            draft.apply(change)
            redone.append(change)
    written = set(map(back.before.key, touched(back.changes)))
    for dn, names in losses(back.before, draft.tree(), redone):
        if back.before.key(dn) in written:
            yield dn, names


def _refuse_loss(record: Record, back: Plan, made: Sequence[Change]) -> None:
    """Refuse *back* unless making *made* again leads to the very tree that is there.

    Assertions do not tell all: of what is replaced as a whole (dicomVendorData, attributes of a newer schema) no value
    is asserted, and of an entry that goes again only the values that it came with.
    """
    try:
        again = back.after.after(made)
    except DoesNotFit:  # it could not be made any more, which says nothing of the way back
        return
    for dn, names in losses(back.before, again, made):
        raise _loss(record, dn, names)


def _loss(record: Record, dn: DN, names: Sequence[str]) -> DoesNotFit:
    return DoesNotFit(
        f"the tree has moved since roll-out {record.number}: somebody has changed {', '.join(names)}, "
        "and that would be lost",
        on=str(dn),
        next_step=f"change it by hand, or take it back all the same: {_all_the_same(record)}; {_what_fits(record)}",
        moved=str(dn),
    )


def _all_the_same(record: Record) -> str:
    return f"dcmcfg apply {shlex.quote(str(record.undo_file))} --force-overwrite"


def losses(before: Tree, again: Tree, made: Sequence[Change]) -> Iterator[tuple[DN, tuple[str, ...]]]:
    """Yield what reverting *made* would lose of the tree *before*: an entry, and the attributes somebody has changed.

    *again* is the tree after reverting *made* and making it once more.
    """
    for dn in touched(made):
        held, redone = before.get(dn), again.get(dn)
        if held is None or redone is None:
            continue
        if names := entry_diff.differing(as_said(held, redone), redone, again.schema):
            yield held.dn, tuple(names)


def _settle(record: Record, directory: Directory) -> None:
    progress = record.progress()
    first, last = progress.done + 1, progress.done + progress.begun
    made: int | None = 0
    if progress.begun:
        await_writes(directory)
        made = how_many_made(read_tree(directory), record, first, last)
    if made is None:
        raise Refused(
            f"roll-out {record.number} was cut off at step {first}, "
            "and the tree is neither as before that nor as planned",
            on=str(record.changes[first - 1].dn),
            next_step=_in_part(record),
        )
    with record.journal.opened() as pen:
        pen.ended(progress.done + made)


def by_hand(record: Record) -> str:
    """Return what to do by hand where *record* can neither be finished nor reverted, and how to say so."""
    compared = f"compare the tree (dcmcfg export-ldif) with {record.folder}/plan.ldif and undo.ldif"
    return f"{compared}, put it right, and say so: dcmcfg history --close {record.number}"


def _in_part(record: Record) -> str:
    return f"{_what_fits(record)}; or {by_hand(record)}"


def _what_fits(record: Record) -> str:
    return f"dcmcfg undo {record.number} --what-fits reverts the part that still fits"
