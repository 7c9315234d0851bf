"""Move the records of LDIF files to another base DN (``--map-base``)."""

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

#: The RDN by which the archive finds the root of its configuration (LdapDicomConfiguration).
_ROOT = ((COMMON_NAME, "dicom configuration"),)


def find_base(files: Files) -> DN:
    """Return the DN below which *files* (name, records) have a DICOM configuration or parts of it.

    Raises :class:`Refused` if there is no such DN, or more than one.
    """
    found = {
        base.normalised(): base for _, records in files for record in records for base in _find_bases(_get_dn(record))
    }
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise Refused(
            "no DN of a record contains cn=DICOM Configuration, so the base DN is unknown",
            subject=_format_names(files),
            next_step="specify the base DN with --map-base DN",
        )
    bases = "; ".join(map(str, found.values()))
    raise Refused(
        f"the records are for several base DNs: {bases}",
        subject=_format_names(files),
        next_step="apply the files one by one, or specify one base DN with --map-base DN",
    )


def find_site_base(tree: Tree, base_dn: DN) -> DN:
    """Return the parent DN of the configuration root in *tree*, or *base_dn* if there is no configuration yet."""
    try:
        return Configuration(tree).root.parent
    except NotFound:
        return base_dn


def rebase_tree(tree: Tree, source_base: DN | None, target: Tree, base_dn: DN) -> tuple[Tree, RebasingReport]:
    """Return *tree* at the base of *target*, and a report of the texts that keep the old base.

    *source_base* is the base of *tree* (None: the parent of its configuration root). *base_dn* is the base of a tree
    without a configuration root.
    """
    old = source_base if source_base is not None else find_site_base(tree, base_dn)
    report = RebasingReport(Rebasing(tree.schema, old, find_site_base(target, base_dn)))
    return Tree.from_entries(tree.schema, report.rebase_entries(tree.sorted_entries())), report


def rebase_files(files: Files, report: RebasingReport, tree: Tree) -> Files:
    """Return *files* with their records at the new base of *report*, which records the texts that keep the old base.

    An entry for the base itself is omitted if *tree* has one, because that entry belongs to the site. Raises
    :class:`Refused` if no record is at or below the old base, or if a control cannot be moved.
    """
    rebasing = report.rebasing
    # Nothing would be moved, so the specified base is probably wrong.
    if not any(rebasing.is_affected(_get_dn(record)) for _, records in files for record in records):
        raise Refused(
            f"no record is at or below {rebasing.old_base}",
            subject=_format_names(files),
            next_step="specify the base DN of the records with --map-base DN, or detect it with --map-base auto",
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
    """Yield *change* at the new base; nothing for an entry of the base that cannot have the new name."""
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
    """Return *control* at the new base; raises :class:`Refused` for a control whose value is not supported."""
    # A control without a value contains no DN.
    if control.value is None:
        return control
    asserted = assertions.decode_control(control) if control.oid == assertions.OID else None
    if asserted is None:
        raise Refused(
            f"the control {control.oid} cannot be moved to another base DN: dcmcfg does not know the format of "
            "the control's value",
            subject=location,
            next_step="apply the file without --map-base to a directory that has the file's base DN, or remove the "
            "control",
        )
    return replace(control, value=assertions.encode_filter(_rebase_filter(asserted, rebasing, location)))


def _rebase_filter(assertion_filter: Filter, rebasing: Rebasing, location: str) -> Filter:
    match assertion_filter:
        case Equals(name) if name.lower() == "entrycsn":
            raise Refused(
                "the record checks an entryCSN, but this entryCSN is valid only on the server for which the file was "
                "written",
                subject=location,
                next_step="to write a new plan for this site from the original file: dcmcfg apply FILE --map-base "
                "auto -o PLAN",
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
    """Yield the DN above the configuration root in *dn*, if *dn* contains the root."""
    for index, rdn in enumerate(dn.rdns):
        if rdn.normalised() == _ROOT:
            yield DN(dn.rdns[index + 1 :])
            return


def _get_dn(record: Record) -> DN:
    return record.entry.dn if isinstance(record, ContentRecord) else record.change.dn


def _format_names(files: Files) -> str:
    return ", ".join(name for name, _ in files)
