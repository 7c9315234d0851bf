"""Which class or value of a change a server means when it answers invalidAttributeSyntax (RFC 4511 A.1)."""

from __future__ import annotations

import re

from dcmcfg.changes import Add, Change, Modify, Operation
from dcmcfg.schema.definitions import bundled
from dcmcfg.secret_values import told

INVALID_SYNTAX = 21
#: As OpenLDAP and 389 Directory Server say it: the attribute, and the place of the value in what was sent, from 0.
_SAID = re.compile(r"(?P<name>[\w.;-]+): value #(?P<place>[0-9]{1,6}) invalid per syntax")


def invalid_syntax(said: str, change: Change | None) -> tuple[str, str] | None:
    """Return what is wrong and the next step, from what the server *said* to *change*; None where it does not tell."""
    found = _SAID.search(said)
    if found is None:
        return None
    name = found["name"]
    value = _value(change, name, int(found["place"]))
    if name.lower() == "objectclass":
        return _unknown_class(value)
    shown = f": {told(name, value)}" if value is not None else ""
    return f"the value of {name} has the wrong syntax{shown}", f"dcmcfg explain {name} shows its form"


def _unknown_class(value: bytes | None) -> tuple[str, str]:
    """The only object classes of wrong syntax are those that the server does not know."""
    if value is None:
        return "the server's schema does not know an object class of the entry", "upgrade the server's schema"
    name = value.decode("utf-8", "backslashreplace")
    what = f"the server's schema does not know the class {name}"
    if bundled().object_class(name) is not None:
        return what, "it is one of the archive's: upgrade the server's schema"
    return what, "check its spelling, else upgrade the server's schema"


def _value(change: Change | None, name: str, place: int) -> bytes | None:
    """Return the value of attribute *name* at *place* in *change*, None where several could be meant."""
    match change:
        case Add(entry):
            lists = [entry.values(name)]
        case Modify(_, modifications):
            new = (each for each in modifications if each.operation is not Operation.DELETE)
            lists = [each.values for each in new if each.name.lower() == name.lower()]
        case _:
            return None
    values = [each[place] for each in lists if place < len(each)]
    return values[0] if len(values) == 1 else None
