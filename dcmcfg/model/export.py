"""Export the configuration, or one of its devices, as LDIF."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dcmcfg.entry import Attribute, Entry
from dcmcfg.ldif.writer import VERSION_LINE, format_entry
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.schema_names import OBJECT_CLASS
from dcmcfg.secret_values import remove_secrets_from_entry


def select_entries(tree: Tree, device: str | None) -> tuple[Entry, ...]:
    """Return the entries to export, parents before children, siblings by name.

    By default these are the base entry, the entries down to the configuration root, and everything below the root.
    With *device*, only the entries of that device. Raises :class:`~dcmcfg.errors.NotFound`.
    """
    configuration = Configuration(tree)
    if device is not None:
        return tree.subtree(configuration.get_device(device).entry.dn)
    ancestors = []
    dn = configuration.root.parent
    while (entry := tree.get(dn)) is not None:
        ancestors.append(entry)
        dn = dn.parent
    return (*reversed(ancestors), *tree.subtree(configuration.root))


def export_ldif(entries: Iterable[Entry], *, with_secrets: bool) -> Iterator[str]:
    """Yield LDIF text, one record at a time; equal trees have the same text.

    Attributes are ordered by name with object classes first, values by their octets. Without secrets, a comment names
    the attributes whose values were omitted.
    """
    yield VERSION_LINE + "\n"
    yield from format_records(entries, with_secrets=with_secrets)


class RecordCount:
    """The number of records in LDIF text that passes through."""

    def __init__(self) -> None:
        self.total = 0

    def count_in(self, text: Iterable[str]) -> Iterator[str]:
        """Yield the pieces of *text*, each of whole records, and add their records to :attr:`total`."""
        for piece in text:
            # ``dn:`` at the beginning of a line starts a record: folded lines begin with a blank (RFC 2849).
            self.total += piece.startswith("dn:") + piece.count("\ndn:")
            yield piece


def format_records(entries: Iterable[Entry], *, with_secrets: bool) -> Iterator[str]:
    """Yield the records of :func:`export_ldif` without the version line, because slapadd rejects it."""
    for entry in entries:
        yield format_record(entry, with_secrets=with_secrets)


def format_record(entry: Entry, *, with_secrets: bool) -> str:
    """Return the record of one entry, as in :func:`export_ldif`."""
    if with_secrets:
        return format_entry(_sort_attributes(entry))
    return _format_without_secrets(entry, "secret omitted")


def format_record_for_checksum(entry: Entry) -> str:
    """Return the record of one entry without secrets, for a checksum of a configuration.

    This text never changes. Otherwise, all stored results would be outdated.
    """
    return _format_without_secrets(entry, "left out, a secret")


def _format_without_secrets(entry: Entry, label: str) -> str:
    shown, omitted = remove_secrets_from_entry(entry)
    comments = [f"{label}: {name}" for name in sorted(omitted, key=attribute_sort_key)]
    return format_entry(_sort_attributes(shown), comments=comments)


def attribute_sort_key(name: str) -> str:
    """Return the sort key of an attribute in a record: its name in lower case, object classes first."""
    lower = name.lower()
    return "" if lower == OBJECT_CLASS.lower() else lower


def _sort_attributes(entry: Entry) -> Entry:
    # A stable order makes two exports comparable with ``diff`` and in version control.
    attributes = sorted(entry.attributes, key=lambda each: attribute_sort_key(each.name))
    return Entry(entry.dn, tuple(Attribute(each.name, tuple(sorted(each.values))) for each in attributes))
