"""Read LDIF text as records, and write records as LDIF text (RFC 2849).

:func:`read_all` returns all records of a source, or raises :class:`LdifErrors` with every problem. :func:`iter_records`
yields them one by one, for large sources. :func:`format_entry` and :func:`format_change` return text::

    with open("devices.ldif", "rb") as source:
        for record in read_all(source, "devices.ldif"):
            print(record)

A record is a :class:`ContentRecord` (an entry) or a :class:`ChangeRecord` (an add, modify, delete or rename).

Import these names from here. Other modules of the package may change without notice. dcmcfg itself imports the
defining modules, because that loads less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcmcfg.lazy_exports import make_lazy_exports

if TYPE_CHECKING:
    from dcmcfg.ldif.reader import LdifErrors, iter_records, read_all
    from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record, has_changes
    from dcmcfg.ldif.writer import VERSION_LINE, format_change, format_entry, format_for_editor

__all__ = [
    "VERSION_LINE",
    "ChangeRecord",
    "ContentRecord",
    "LdifErrors",
    "Record",
    "format_change",
    "format_entry",
    "format_for_editor",
    "has_changes",
    "iter_records",
    "read_all",
]

if not TYPE_CHECKING:  # a type checker would take a ``__getattr__`` for every misspelt name
    __getattr__, __dir__ = make_lazy_exports(
        __name__,
        {
            "reader": ("LdifErrors", "iter_records", "read_all"),
            "records": ("ChangeRecord", "ContentRecord", "Record", "has_changes"),
            "writer": ("VERSION_LINE", "format_change", "format_entry", "format_for_editor"),
        },
    )
