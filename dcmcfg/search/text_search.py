"""Where a text stands in a tree: in names of entries, names of attributes, values, and what it means there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.model.references.index import Reference, References
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.tree import Tree
from dcmcfg.schema_names import DICOM_DEVICE_NAME
from dcmcfg.secret_values import is_secret


@dataclass(frozen=True)
class TextHit:
    """A value in which the text stands, or an entry whose name has it (``attribute`` is empty, ``value`` None).

    ``refers_to`` says what the value refers to by the text: ``AE dcm4chee-arc/DCM4CHEE``; empty when it is no
    reference.
    """

    dn: DN
    attribute: str
    value: bytes | None
    refers_to: str = ""


def find_text(tree: Tree, text: str) -> tuple[TextHit, ...]:
    """Return where *text* stands in *tree*, in the tree's order; case does not count.

    Of an attribute whose name holds it every value is a hit. In secrets nothing is looked for, nor in that part of a
    DN that the entry shares, so that a device is not found by what each of its AEs refers to. Where *text* is the
    name of an AE, a device, a queue or another thing that is referred to, what means that is a hit in any case.
    """
    folded = text.casefold()
    meanings = _find_references(tree, text)
    return tuple(
        hit
        for entry in tree.sorted_entries()
        for hit in _find_in_entry(entry, folded, meanings.get(tree.key(entry.dn), {}))
    )


#: (attribute in lower case, value) → what it means.
_ReferencedByValue = dict[tuple[str, bytes], str]


def _find_references(tree: Tree, text: str) -> dict[NormalDN, _ReferencedByValue]:
    """Return what each value that refers to the thing called *text* means, by entry."""
    references = References(tree)
    labels_by_entry = {
        tree.key(entry.dn): f"{kind.value.label} {_format_qualified_name(references, entry, kind)}"
        for kind in EntityKind
        if kind is not EntityKind.ENTRY
        for entry in references.find_entries(kind, text)
    }
    found: dict[NormalDN, _ReferencedByValue] = {}
    for reference in references.all if labels_by_entry else ():
        if (target := _resolve(references, reference, text)) in labels_by_entry:
            by_value = found.setdefault(tree.key(reference.dn), {})
            by_value[reference.attribute.lower(), reference.value] = labels_by_entry[target]
    return found


def _resolve(references: References, reference: Reference, text: str) -> NormalDN:
    """Return the entry that *reference* means, the empty DN when it gives another name than *text*."""
    if reference.kind is not EntityKind.ENTRY and not reference.kind.are_same_name(reference.name, text):
        return ()
    entry = references.resolve(reference)
    return references.tree.key(entry.dn) if entry is not None else ()


def _format_qualified_name(references: References, entry: Entry, kind: EntityKind) -> str:
    """Return the name of *entry*, with its device's where that is another thing."""
    name = entry.text(kind.value.attribute) or ""
    key = references.find_device_key(entry.dn)
    device = references.tree.entries.get(key) if key is not None and kind is not EntityKind.DEVICE else None
    return f"{device.text(DICOM_DEVICE_NAME)}/{name}" if device is not None else name


def _find_in_entry(entry: Entry, folded: str, meanings: _ReferencedByValue) -> Iterator[TextHit]:
    found = [hit for attribute in entry.attributes for hit in _find_in_attribute(entry.dn, attribute, folded)]
    hits = {(hit.attribute.lower(), hit.value or b""): hit for hit in found}
    spelling = {attribute.name.lower(): attribute.name for attribute in entry.attributes}
    for (name, value), meaning in meanings.items():
        known = hits.get((name, value), TextHit(entry.dn, spelling[name], value))
        hits[name, value] = replace(known, refers_to=meaning)
    if not hits and folded in str(entry.dn).casefold() and folded not in str(entry.dn.parent).casefold():
        yield TextHit(entry.dn, "", None)
    yield from hits.values()


def _find_in_attribute(dn: DN, attribute: Attribute, folded: str) -> Iterator[TextHit]:
    matches_name = folded in attribute.name.casefold()
    parent_suffix = f",{dn.parent}".casefold()
    for value in attribute.values:
        text = value.decode("utf-8", "replace").casefold().removesuffix(parent_suffix)
        if matches_name or (folded in text and not is_secret(attribute.name, value)):
            yield TextHit(dn, attribute.name, value)
