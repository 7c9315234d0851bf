"""An archive that answers as a test says, and how it is asked for many studies."""

from __future__ import annotations

import re
from collections.abc import Callable

from click.testing import Result

from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from tests.bulk.archive import GOOD, Archive, studies
from tests.running_slapd import RunningSlapd

FIVE = studies(5)
Verify = Callable[..., Result]


class Script:
    """How the archive answers; a test may change it."""

    def __init__(self) -> None:
        self.answers: dict[str, MoveResponse | None] = {}
        self.on_exchange: Callable[[MoveExchange], None] = lambda _: None

    def on_move(self, uid: str, _number: int) -> MoveResponse | None:
        return self.answers.get(uid, GOOD)


def command(pacs: Archive, destination: str = "STORESCP") -> tuple[str, ...]:
    return ("verify", "--dest", destination, "--connect", f"{pacs.peer.host}:{pacs.peer.port}")


def named(uids: list[str]) -> tuple[str, ...]:
    return tuple(word for uid in uids for word in ("--study", uid))


def plain(text: str, pacs: Archive, slapd: RunningSlapd) -> str:
    """Return *text* without what differs from run to run."""
    text = text.replace(f":{pacs.peer.port}", ":PORT").replace(slapd.url, "LDAP")
    text = re.sub(r"\S*/([0-9a-f]{16})\.sqlite", "STORE", text)
    text = re.sub(r"^( {10}|Slowest   ) *[0-9.]+ s  .*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} UTC", "THEN", text)
