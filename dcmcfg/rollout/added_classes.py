"""Find auxiliary object classes that dcmcfg added to an entry automatically, with a value that required them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import suppress

from dcmcfg.changes import Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.errors import DcmcfgError
from dcmcfg.rollout.history import History, RolloutStatus, determine_status
from dcmcfg.rollout.record import RolloutRecord
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema_names import OBJECT_CLASS

#: The commands that add a class automatically with a value that requires it.
_CLASS_ADDING_COMMANDS = ("set", "add-value")
_CLASSES = OBJECT_CLASS.lower()


def find_added_classes(history: History, ldap_url: str, schema: Schema, dn: DN) -> frozenset[str]:
    """Return the classes, in lower case, that roll-outs of this account added automatically to the entry *dn*.

    Only roll-outs on the directory at *ldap_url* that were applied and not reverted are considered. The last one that
    changed a class decides. Partly reverted roll-outs, and their partial undo, are considered too. Unreadable records
    are skipped.
    """
    key = schema.normalise_dn(dn)
    added_automatically: dict[str, bool] = {}
    # The newest roll-out comes first, so the first record that names a class decides.
    for record in history.records:
        with suppress(DcmcfgError):
            if (
                record.header.ldap_url != ldap_url
                or not record.may_mention(_CLASSES)
                or not _is_in_effect(history, record)
            ):
                continue
            for change in record.changes:
                if isinstance(change, Modify) and schema.normalise_dn(change.dn) == key:
                    for operation, name in _iterate_class_changes(change):
                        added_automatically.setdefault(name, operation is Operation.ADD and not _names_a_class(record))
    return frozenset(name for name, added in added_automatically.items() if added)


def _is_in_effect(history: History, record: RolloutRecord) -> bool:
    if determine_status(record) is not RolloutStatus.APPLIED or history.is_fully_undone(record):
        return False
    return record.header.undo_of is None or bool(record.header.rejected_count)


def _names_a_class(record: RolloutRecord) -> bool:
    """Return whether the command of *record* specifies a class itself, or never adds classes automatically."""
    try:
        words = shlex.split(record.header.command)
    except ValueError:  # a damaged record
        return True
    names_class = any(word.lower().startswith(("objectclass=", "objectclass+=")) for word in words)
    return names_class or not any(word in _CLASS_ADDING_COMMANDS for word in words)


def _iterate_class_changes(change: Modify) -> Iterator[tuple[Operation, str]]:
    for each in change.modifications:
        if each.name.lower() == _CLASSES:
            yield from ((each.operation, value.decode("utf-8", "replace").lower()) for value in each.values)
