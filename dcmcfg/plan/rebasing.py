"""The records of LDIF files as they are at another base DN."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from dcmcfg.changes import Add, Change, Control, Delete, Modify, Rename
from dcmcfg.dn import DN
from dcmcfg.errors import NotFound, Refused
from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record
from dcmcfg.model.devices import Configuration
from dcmcfg.model.rebasing import Rebasing, RebasingNotes
from dcmcfg.model.tree import Tree
from dcmcfg.plan import assertions
from dcmcfg.plan.assertions import All, AnyOf, Equals, Filter, Not, Present

Files = Sequence[tuple[str, tuple[Record, ...]]]

#: The name by which the archive finds its configuration's root (LdapDicomConfiguration).
_ROOT = (("cn", "dicom configuration"),)


def base_of(files: Files) -> DN:
    """Return the DN below which *files* (name, records) hold a DICOM configuration or parts of one.

    Raises :class:`Refused` when there is none, or more than one.
    """
    found = {base.normalised(): base for _, records in files for record in records for base in _bases(_dn(record))}
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise Refused(
            "no record is at or below a cn=DICOM Configuration, so the base DN cannot be told",
            on=_names(files),
            next_step="--map-base DN names it",
        )
    listed = "; ".join(map(str, found.values()))
    raise Refused(
        f"the records are for several base DNs: {listed}",
        on=_names(files),
        next_step="apply them one by one, or name one with --map-base DN",
    )


def site_base(tree: Tree, base_dn: DN) -> DN:
    """Return what stands above the configuration's root in *tree*, or *base_dn* where there is no configuration yet."""
    try:
        return Configuration(tree).root.parent
    except NotFound:
        return base_dn


def rebased_tree(tree: Tree, named: DN | None, beside: Tree, base_dn: DN) -> tuple[Tree, RebasingNotes]:
    """Return *tree* at the base of *beside*, with what stays behind.

    *named* is the base that it is at, None for what stands above its configuration's root; *base_dn* is that of a tree
    without a root.
    """
    old = named if named is not None else site_base(tree, base_dn)
    notes = RebasingNotes(Rebasing(tree.schema, old, site_base(beside, base_dn)))
    return Tree.of(tree.schema, notes.entries(tree.ordered())), notes


def rebased_files(files: Files, notes: RebasingNotes, tree: Tree) -> Files:
    """Return *files* with their records at the new base of the rebasing of *notes*, who are told what stays behind.

    An entry for the base itself is left out where *tree* has one: that belongs to the site. Raises :class:`Refused`
    when no record is at or below the old base, or for a control that names things which cannot be taken along.
    """
    rebasing = notes.rebasing
    if not any(rebasing.takes(_dn(record)) for _, records in files for record in records):
        raise Refused(
            f"no record is at or below {rebasing.old}",
            on=_names(files),
            next_step="--map-base DN names the base DN that the records are for; --map-base auto finds it",
        )
    there = rebasing.new in tree
    return tuple((name, tuple(_rebased(name, records, notes, base_is_there=there))) for name, records in files)


def _rebased(name: str, records: Iterable[Record], notes: RebasingNotes, *, base_is_there: bool) -> Iterator[Record]:
    rebasing = notes.rebasing
    for record in records:
        match record:
            case ContentRecord(entry) | ChangeRecord(Add(entry)) if base_is_there and rebasing.is_base(entry.dn):
                continue
            case ContentRecord(entry, line):
                yield from (ContentRecord(taken, line) for taken in notes.entries([entry]))
            case ChangeRecord(change, line):
                controls = tuple(_control(control, rebasing, f"{name}:{line}") for control in change.controls)
                for taken in _changes(change, notes):
                    yield ChangeRecord(replace(taken, controls=controls), line)


def _changes(change: Change, notes: RebasingNotes) -> Iterator[Change]:
    """Yield *change* at the new base; none for an entry of the base that cannot have the new name."""
    rebasing = notes.rebasing
    match change:
        case Add(entry):
            yield from (replace(change, entry=taken) for taken in notes.entries([entry]))
        case Delete(dn):
            yield replace(change, dn=rebasing.dn(dn))
        case Rename(dn, _, _, superior):
            yield replace(change, dn=rebasing.dn(dn), new_superior=rebasing.dn(superior) if superior else superior)
        case Modify(dn, modifications):
            for modification in modifications:
                notes.look_at(dn, modification.name, modification.values)
            taken = tuple(replace(each, values=rebasing.values(each.name, each.values)) for each in modifications)
            yield replace(change, dn=rebasing.dn(dn), modifications=taken)


def _control(control: Control, rebasing: Rebasing, place: str) -> Control:
    """Return *control* at the new base; raises :class:`Refused` for one whose value is not understood."""
    if control.value is None:
        return control
    asserted = assertions.of_control(control) if control.oid == assertions.OID else None
    if asserted is None:
        raise Refused(
            f"the control {control.oid} cannot be taken to another base DN: what it holds is not understood",
            on=place,
            next_step="apply the file where it is for, or without its control",
        )
    return replace(control, value=assertions.encode(_filter(asserted, rebasing, place)))


def _filter(wanted: Filter, rebasing: Rebasing, place: str) -> Filter:
    match wanted:
        case Equals(name) if name.lower() == "entrycsn":
            raise Refused(
                "it asserts an entryCSN, which holds on the server that it was written for only",
                on=place,
                next_step="write the plan anew on this site: apply what it was made of with --map-base, and --out PLAN",
            )
        case Equals(name, value):
            return Equals(name, rebasing.value(name, value))
        case Present():
            return wanted
        case Not(inner):
            return Not(_filter(inner, rebasing, place))
        case All(inner):
            return All(tuple(_filter(each, rebasing, place) for each in inner))
        case AnyOf(inner):
            return AnyOf(tuple(_filter(each, rebasing, place) for each in inner))


def _bases(dn: DN) -> Iterator[DN]:
    """Yield what stands above the configuration's root in *dn*, if the root is in it."""
    for at, rdn in enumerate(dn.rdns):
        if rdn.normalised() == _ROOT:
            yield DN(dn.rdns[at + 1 :])
            return


def _dn(record: Record) -> DN:
    return record.entry.dn if isinstance(record, ContentRecord) else record.change.dn


def _names(files: Files) -> str:
    return ", ".join(name for name, _ in files)
