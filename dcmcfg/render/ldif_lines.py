"""Print change records as coloured LDIF: additions are green, deletions red, replacements yellow.

LDIF for programs (``diff --ldif``, ``export-ldif``, files) never has colours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.text import Text

from dcmcfg.changes import Change
from dcmcfg.ldif.writer import format_change
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.terminal.console import print_text
from dcmcfg.render.terminal.styles import ADDED, CHANGED, REMOVED, SIGN_STYLES
from dcmcfg.secret_values import remove_secrets_from_change

#: A line → the sign of this line and of the lines after it, up to the end of the modification or record.
_SIGNS = {
    "changetype: add": ADDED,
    "changetype: delete": REMOVED,
    "changetype: modrdn": CHANGED,
    "changetype: moddn": CHANGED,
}
_MODIFICATION_SIGNS = {"add: ": ADDED, "delete: ": REMOVED, "replace: ": CHANGED, "increment: ": CHANGED}
_MODIFY, _MODIFICATION_END = "changetype: modify", "-"


def format_changes_ldif(changes: Iterable[Change]) -> str:
    """Return *changes* as LDIF for people, without secrets and controls; comments list the secrets left out."""
    records = []
    for change in changes:
        public_change, omitted = remove_secrets_from_change(change)
        records.append(format_change(public_change, comments=[f"secret value omitted: {name}" for name in omitted]))
    return "".join(records)


def print_ldif(console: Console, ldif: str) -> None:
    """Print the change records *ldif*, in colours if *console* has colours."""
    for line in _style_lines(ldif.rstrip("\n").split("\n")):
        print_text(console, line)


def _style_lines(lines: Iterable[str]) -> Iterator[Text]:
    sign, in_modify = "", False
    for line in lines:
        if not line:
            sign, in_modify = "", False
        elif line == _MODIFY:
            in_modify = True
        elif not in_modify:
            sign = _SIGNS.get(line, sign)
        elif line == _MODIFICATION_END:
            sign = ""
        elif not sign:
            sign = next((value for start, value in _MODIFICATION_SIGNS.items() if line.startswith(start)), "")
        yield Text(escape_unprintable(line), style=SIGN_STYLES.get(sign, ""))
