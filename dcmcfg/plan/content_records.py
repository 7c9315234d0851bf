"""Content records: entries as they are wanted, whether they exist or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotFit
from dcmcfg.ldif.records import ContentRecord, Record
from dcmcfg.model.tree import canonical_name
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.structure import OPERATIONAL, structural_classes

_NAMING_VIOLATION = 64
_CLASS_PROHIBITED = 69


def without_operational(entry: Entry) -> Entry:
    """Return *entry* without what a server keeps about it itself (RFC 4512 §3.4), as ``slapcat`` writes it out."""
    kept = tuple(attribute for attribute in entry.attributes if attribute.name.lower() not in OPERATIONAL)
    return entry if len(kept) == len(entry.attributes) else Entry(entry.dn, kept)


def notes(files: Sequence[tuple[str, Sequence[Record]]]) -> Iterator[str]:
    """Yield a sentence for each of *files* (name, records) whose entries carry what the server keeps itself."""
    for name, records in files:
        entries = (record.entry for record in records if isinstance(record, ContentRecord))
        found = {each.name for entry in entries for each in entry.attributes if each.name.lower() in OPERATIONAL}
        if found:
            yield f"{name}: left out, because the server keeps it itself: {', '.join(sorted(found))}."


def check_name(schema: Schema, entry: Entry) -> None:
    """Raise :class:`DoesNotFit` when the name of *entry* and its values contradict each other."""
    for kind, value in entry.dn.rdn.parts if entry.dn.rdns else ():
        name, definition = canonical_name(schema, kind), schema.attribute(kind)
        if definition is None or not definition.single_valued or name not in entry:
            continue
        named = schema.normal_dn_value(kind, value).encode("utf-8", "surrogateescape")
        if all(schema.normal_value(name, held) != named for held in entry.values(name)):
            raise DoesNotFit(
                f"the record's {name} is not the one in its name",
                on=str(entry.dn),
                next_step="to rename an entry: changetype: modrdn",
                result_code=_NAMING_VIOLATION,
            )


def check_class(schema: Schema, held: Entry, wanted: Entry) -> None:
    """Raise :class:`DoesNotFit` when *wanted* is of another structural class than *held*, which no server changes.

    Nothing is said as long as a class is unknown.
    """
    old, new = (structural_classes(schema, entry) for entry in (held, wanted))
    if old != new and _all_known(schema, held) and _all_known(schema, wanted):
        raise DoesNotFit(
            f"the entry is of class {', '.join(sorted(old)) or 'none'}, and the record's is "
            f"{', '.join(sorted(new)) or 'none'}: a structural class cannot change",
            on=str(held.dn),
            next_step="delete the entry and add it anew, in change records",
            result_code=_CLASS_PROHIBITED,
        )


def _all_known(schema: Schema, entry: Entry) -> bool:
    return all(name.lower() == "top" or schema.object_class(name) is not None for name in entry.texts("objectClass"))
