"""The files in ``tests/fixtures/before_format``, brought to where the program looks for them."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from tests.cli.sites import attributes

FOLDER = Path(__file__).parents[2] / "fixtures" / "before_format"
ROLL_OUTS = FOLDER / "roll-outs"
PLANS = FOLDER / "plans"
PORT = "@PORT@"
_OPERATIONAL = frozenset(
    (
        "structuralobjectclass",
        "entryuuid",
        "entrycsn",
        "creatorsname",
        "createtimestamp",
        "modifiersname",
        "modifytimestamp",
    )
)
Octets = dict[str, dict[str, frozenset[bytes]]]


def octets(ldif: str) -> Octets:
    """What a server that holds the entries of *ldif* shows, without operational attributes."""
    records = read_all([ldif.encode()], "a fixture")
    entries = [record.entry for record in records if isinstance(record, ContentRecord)]
    return {
        str(entry.dn): {name: values for name, values in attributes(entry).items() if name not in _OPERATIONAL}
        for entry in entries
    }


def before() -> str:
    """The tree that every fixture begins with, as slapcat wrote it."""
    return (PLANS / "before.ldif").read_text("utf-8")


def after() -> str:
    """The tree with all changes of ``plan.ldif``."""
    return (PLANS / "after.ldif").read_text("utf-8")


def tree(case: Path) -> str:
    """The tree at the moment of the fixture *case*: :func:`before` with what is different."""
    records = _records(before())
    for dn in _text(case / "gone.txt").splitlines():
        del records[dn]
    records |= _records(_text(case / "changed.ldif"))
    return "".join(f"{each}\n\n" for each in records.values())


def restore_state(case: Path, state: Path, port: int, folder: Path) -> None:
    """Write the state folder of the fixture *case* to *state*, for a server at *port* and files in *folder*.

    The checksums in a record cover a comment with the server's URL, so those are made to fit.
    """
    for path in sorted((case / "state").rglob("*")):
        if path.is_file():
            target = state / path.relative_to(case / "state")
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            target.write_text(path.read_text("utf-8").replace(PORT, str(port)).replace("@WORK@", str(folder)), "utf-8")
            target.chmod(0o600)
    for head in state.glob("rollouts/*/head.json"):
        content = json.loads(head.read_text("utf-8"))
        content["sha256"] = {
            name: hashlib.sha256((head.parent / name).read_bytes()).hexdigest() for name in content["sha256"]
        }
        head.write_text(json.dumps(content) + "\n", "utf-8")


def _records(ldif: str) -> dict[str, str]:
    """The records of *ldif*, whose lines are not folded, by the line with their DN."""
    return {each.partition("\n")[0]: each for each in re.split(r"\n\n+", ldif.strip()) if each}


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""
