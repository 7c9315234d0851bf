"""Content records: desired entries, whether they exist or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotApply
from dcmcfg.ldif.records import ContentRecord, Record
from dcmcfg.model.tree import canonicalise_name
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.structure import OPERATIONAL_ATTRIBUTES, find_structural_classes
from dcmcfg.schema_names import OBJECT_CLASS

#: The LDAP results of a server for these problems (RFC 4511 appendix A.1).
_NAMING_VIOLATION = 64
_CLASS_PROHIBITED = 69


def drop_operational_attributes(entry: Entry) -> Entry:
    """Return *entry* without operational attributes (RFC 4512 §3.4), which the output of ``slapcat`` contains."""
    remaining = tuple(
        attribute for attribute in entry.attributes if attribute.name.lower() not in OPERATIONAL_ATTRIBUTES
    )
    return entry if len(remaining) == len(entry.attributes) else Entry(entry.dn, remaining)


def describe_ignored_attributes(files: Sequence[tuple[str, Sequence[Record]]]) -> Iterator[str]:
    """Yield a sentence for each of *files* (name, records) whose entries have operational attributes."""
    for name, records in files:
        entries = (record.entry for record in records if isinstance(record, ContentRecord))
        found = {
            each.name for entry in entries for each in entry.attributes if each.name.lower() in OPERATIONAL_ATTRIBUTES
        }
        if found:
            yield (
                f"{name}: dcmcfg ignored these operational attributes, because only the server can set them: "
                f"{', '.join(sorted(found))}."
            )


def check_naming_values(schema: Schema, entry: Entry) -> None:
    """Raise :class:`DoesNotApply` if the RDN of *entry* contradicts its values."""
    for kind, value in entry.dn.rdn.parts if entry.dn.rdns else ():
        name, definition = canonicalise_name(schema, kind), schema.attribute(kind)
        # In any other attribute, add_naming_values adds the naming value as one more value.
        if definition is None or not definition.single_valued or name not in entry:
            continue
        naming_value = schema.normalise_dn_value(kind, value).encode("utf-8", "surrogateescape")
        if all(schema.normalise_value(name, value) != naming_value for value in entry.values(name)):
            raise DoesNotApply(
                f"the value of {name} differs from the value in the DN of the record",
                subject=str(entry.dn),
                next_step="to rename an entry, use changetype: modrdn",
                result_code=_NAMING_VIOLATION,
            )


def check_structural_class(schema: Schema, current: Entry, desired: Entry) -> None:
    """Raise :class:`DoesNotApply` if *desired* has another structural class than *current*: no server can change it.

    Entries with an unknown object class are not checked.
    """
    old, new = (find_structural_classes(schema, entry) for entry in (current, desired))
    if old != new and _has_only_known_classes(schema, current) and _has_only_known_classes(schema, desired):
        raise DoesNotApply(
            "the structural object class of an entry cannot change: the entry has "
            f"{', '.join(sorted(old)) or 'none'}, but the record has "
            f"{', '.join(sorted(new)) or 'none'}",
            subject=str(current.dn),
            next_step="use change records: delete the entry, then add the new entry",
            result_code=_CLASS_PROHIBITED,
        )


def _has_only_known_classes(schema: Schema, entry: Entry) -> bool:
    return all(name.lower() == "top" or schema.object_class(name) is not None for name in entry.texts(OBJECT_CLASS))
