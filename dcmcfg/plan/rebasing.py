"""The records of LDIF files as they are at another base DN."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from dcmcfg.changes import Add, Change, Control, Delete, Modify, Rename
from dcmcfg.dn import DN
from dcmcfg.errors import NotFound, Refused
from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record
from dcmcfg.model.devices import Configuration
from dcmcfg.model.rebasing import Rebasing, RebasingReport
from dcmcfg.model.tree import Tree
from dcmcfg.plan import assertions
from dcmcfg.plan.assertions import AllOf, AnyOf, Equals, Filter, Not, Present
from dcmcfg.schema_names import COMMON_NAME

Files = Sequence[tuple[str, tuple[Record, ...]]]

#: The name by which the archive finds its configuration's root (LdapDicomConfiguration).
_ROOT = ((COMMON_NAME, "dicom configuration"),)


def find_base(files: Files) -> DN:
    """Return the DN below which *files* (name, records) hold a DICOM configuration or parts of one.

    Raises :class:`Refused` when there is none, or more than one.
    """
    found = {
        base.normalised(): base for _, records in files for record in records for base in _find_bases(_get_dn(record))
    }
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise Refused(
            "no record is at or below a cn=DICOM Configuration, so the base DN cannot be told",
            subject=_format_names(files),
            next_step="--map-base DN names it",
        )
    bases = "; ".join(map(str, found.values()))
    raise Refused(
        f"the records are for several base DNs: {bases}",
        subject=_format_names(files),
        next_step="apply them one by one, or name one with --map-base DN",
    )


def find_site_base(tree: Tree, base_dn: DN) -> DN:
    """Return what stands above the configuration's root in *tree*, or *base_dn* where there is no configuration yet."""
    try:
        return Configuration(tree).root.parent
    except NotFound:
        return base_dn


def rebase_tree(tree: Tree, source_base: DN | None, target: Tree, base_dn: DN) -> tuple[Tree, RebasingReport]:
    """Return *tree* at the base of *target*, with what stays behind.

    *source_base* is the base that it is at, None for what stands above its configuration's root; *base_dn* is that of a
    tree without a root.
    """
    old = source_base if source_base is not None else find_site_base(tree, base_dn)
    report = RebasingReport(Rebasing(tree.schema, old, find_site_base(target, base_dn)))
    return Tree.from_entries(tree.schema, report.rebase_entries(tree.sorted_entries())), report


def rebase_files(files: Files, report: RebasingReport, tree: Tree) -> Files:
    """Return *files* with their records at the new base of the rebasing of *report*, which records what stays behind.

    An entry for the base itself is left out where *tree* has one: that belongs to the site. Raises :class:`Refused`
    when no record is at or below the old base, or for a control that names things which cannot be taken along.
    """
    rebasing = report.rebasing
    if not any(rebasing.is_affected(_get_dn(record)) for _, records in files for record in records):
        raise Refused(
            f"no record is at or below {rebasing.old_base}",
            subject=_format_names(files),
            next_step="--map-base DN names the base DN that the records are for; --map-base auto finds it",
        )
    has_base_entry = rebasing.new_base in tree
    return tuple(
        (name, tuple(_rebase_records(name, records, report, has_base_entry=has_base_entry))) for name, records in files
    )


def _rebase_records(
    name: str, records: Iterable[Record], report: RebasingReport, *, has_base_entry: bool
) -> Iterator[Record]:
    rebasing = report.rebasing
    for record in records:
        match record:
            case ContentRecord(entry) | ChangeRecord(Add(entry)) if has_base_entry and rebasing.is_base(entry.dn):
                continue
            case ContentRecord(entry, line):
                yield from (ContentRecord(rebased, line) for rebased in report.rebase_entries([entry]))
            case ChangeRecord(change, line):
                controls = tuple(_rebase_control(control, rebasing, f"{name}:{line}") for control in change.controls)
                for rebased in _rebase_change(change, report):
                    yield ChangeRecord(replace(rebased, controls=controls), line)


def _rebase_change(change: Change, report: RebasingReport) -> Iterator[Change]:
    """Yield *change* at the new base; none for an entry of the base that cannot have the new name."""
    rebasing = report.rebasing
    match change:
        case Add(entry):
            yield from (replace(change, entry=rebased) for rebased in report.rebase_entries([entry]))
        case Delete(dn):
            yield replace(change, dn=rebasing.rebase_dn(dn))
        case Rename(dn, new_superior=superior):
            yield replace(
                change, dn=rebasing.rebase_dn(dn), new_superior=rebasing.rebase_dn(superior) if superior else superior
            )
        case Modify(dn, modifications):
            for modification in modifications:
                report.check_attribute(dn, modification.name, modification.values)
            rebased = tuple(
                replace(each, values=rebasing.rebase_values(each.name, each.values)) for each in modifications
            )
            yield replace(change, dn=rebasing.rebase_dn(dn), modifications=rebased)


def _rebase_control(control: Control, rebasing: Rebasing, location: str) -> Control:
    """Return *control* at the new base; raises :class:`Refused` for one whose value is not understood."""
    if control.value is None:
        return control
    asserted = assertions.decode_control(control) if control.oid == assertions.OID else None
    if asserted is None:
        raise Refused(
            f"the control {control.oid} cannot be taken to another base DN: what it holds is not understood",
            subject=location,
            next_step="apply the file where it is for, or without its control",
        )
    return replace(control, value=assertions.encode_filter(_rebase_filter(asserted, rebasing, location)))


def _rebase_filter(assertion_filter: Filter, rebasing: Rebasing, location: str) -> Filter:
    match assertion_filter:
        case Equals(name) if name.lower() == "entrycsn":
            raise Refused(
                "it asserts an entryCSN, which holds on the server that it was written for only",
                subject=location,
                next_step="write the plan anew on this site: apply what it was made of with --map-base, and -o PLAN",
            )
        case Equals(name, value):
            return Equals(name, rebasing.rebase_value(name, value))
        case Present():
            return assertion_filter
        case Not(inner):
            return Not(_rebase_filter(inner, rebasing, location))
        case AllOf(inner):
            return AllOf(tuple(_rebase_filter(each, rebasing, location) for each in inner))
        case AnyOf(inner):
            return AnyOf(tuple(_rebase_filter(each, rebasing, location) for each in inner))


def _find_bases(dn: DN) -> Iterator[DN]:
    """Yield what stands above the configuration's root in *dn*, if the root is in it."""
    for index, rdn in enumerate(dn.rdns):
        if rdn.normalised() == _ROOT:
            yield DN(dn.rdns[index + 1 :])
            return


def _get_dn(record: Record) -> DN:
    return record.entry.dn if isinstance(record, ContentRecord) else record.change.dn


def _format_names(files: Files) -> str:
    return ", ".join(name for name, _ in files)
