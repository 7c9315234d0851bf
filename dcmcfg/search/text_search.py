"""Search a text in a tree: in names of entries, names of attributes and values, with the meaning of references."""

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
    """A value that contains the text, or an entry whose name contains it (``attribute`` is empty, ``value`` None).

    ``refers_to`` is the object to which the value refers, such as ``AE dcm4chee-arc/DCM4CHEE``; empty if the value is
    not a reference.
    """

    dn: DN
    attribute: str
    value: bytes | None
    refers_to: str = ""


def find_text(tree: Tree, text: str) -> tuple[TextHit, ...]:
    """Return the hits for *text* in *tree*, in the order of the tree; case is ignored.

    If the name of an attribute contains *text*, all its values are hits. Secrets are not searched. In a DN, the part
    that is equal to the parent of the entry is not searched, so that a device is not found in each reference of its
    AEs. If *text* is the name of an AE, a device, a queue or another object, all references to the object are hits.
    """
    folded = text.casefold()
    meanings = _find_references(tree, text)
    return tuple(
        hit
        for entry in tree.sorted_entries()
        for hit in _find_in_entry(entry, folded, meanings.get(tree.key(entry.dn), {}))
    )


#: (attribute in lower case, value) → the object to which the value refers.
_ReferencedByValue = dict[tuple[str, bytes], str]


def _find_references(tree: Tree, text: str) -> dict[NormalDN, _ReferencedByValue]:
    """Return the values that refer to an object with the name *text*, by entry, each with that object."""
    references = References(tree)
    labels_by_entry = {
        tree.key(entry.dn): f"{kind.value.label} {_format_qualified_name(references, entry, kind)}"
        for kind in EntityKind
        if kind is not EntityKind.ENTRY
        for entry in references.find_entries(kind, text)
    }
    found: dict[NormalDN, _ReferencedByValue] = {}
    # Most searched texts are not names of objects, so no reference needs to be resolved.
    for reference in references.all if labels_by_entry else ():
        if (target := _resolve(references, reference, text)) in labels_by_entry:
            by_value = found.setdefault(tree.key(reference.dn), {})
            by_value[reference.attribute.lower(), reference.value] = labels_by_entry[target]
    return found


def _resolve(references: References, reference: Reference, text: str) -> NormalDN:
    """Return the entry to which *reference* refers; the empty DN if it contains another name than *text*."""
    if reference.kind is not EntityKind.ENTRY and not reference.kind.are_same_name(reference.name, text):
        return ()
    entry = references.resolve(reference)
    return references.tree.key(entry.dn) if entry is not None else ()


def _format_qualified_name(references: References, entry: Entry, kind: EntityKind) -> str:
    """Return the name of *entry*, after the name of its device, unless it is a device itself."""
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
    # Otherwise, all descendants of a matching entry would be hits too.
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
