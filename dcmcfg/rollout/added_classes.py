"""Auxiliary object classes that dcmcfg added to an entry by itself, with the value that needed them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import suppress

from dcmcfg.changes import Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.errors import DcmcfgError
from dcmcfg.rollout.history import History, Result, result_of
from dcmcfg.rollout.record import Record
from dcmcfg.schema.definitions import Schema

#: The commands that add a class with the value that needs it.
_ADDING = ("set", "add-value")
_CLASSES = "objectclass"


def added_classes(history: History, ldap_url: str, schema: Schema, dn: DN) -> frozenset[str]:
    """Return the classes, in lower case, that roll-outs of this account added unasked to the entry *dn*.

    Of those on the directory at *ldap_url* that are done and not undone, the last that named a class decides about it.
    One that was undone in part counts, and so does what undid that part. A record that cannot be read says nothing.
    """
    key = schema.normal_dn(dn)
    unasked: dict[str, bool] = {}
    for record in history.records:
        with suppress(DcmcfgError):
            if record.head.ldap_url != ldap_url or not record.mentions(_CLASSES) or not _stands(history, record):
                continue
            for change in record.changes:
                if isinstance(change, Modify) and schema.normal_dn(change.dn) == key:
                    for operation, name in _classes(change):
                        unasked.setdefault(name, operation is Operation.ADD and not _names_a_class(record))
    return frozenset(name for name, added in unasked.items() if added)


def _stands(history: History, record: Record) -> bool:
    if result_of(record) is not Result.DONE or history.is_undone(record):
        return False
    return record.head.undoes is None or bool(record.head.left_out)


def _names_a_class(record: Record) -> bool:
    """Return whether the command of *record* is one that adds no class unasked, or names one itself."""
    try:
        words = shlex.split(record.head.command)
    except ValueError:  # a damaged record
        return True
    named = any(word.lower().startswith("objectclass=") for word in words)
    return named or not any(word in _ADDING for word in words)


def _classes(change: Modify) -> Iterator[tuple[Operation, str]]:
    for each in change.modifications:
        if each.name.lower() == _CLASSES:
            yield from ((each.operation, value.decode("utf-8", "replace").lower()) for value in each.values)
