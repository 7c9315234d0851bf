"""The mark in the tree by which a temporary destination is known: who works with it, since when."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from datetime import datetime

from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.schema_names import DICOM_DESCRIPTION
from dcmcfg.timestamps import format_iso, parse_timestamp

_FORM = re.compile(
    r"Temporary destination (?P<title>\S+) of dcmcfg verify, made by (?P<user>.*)@(?P<host>\S*) "
    r"\(process (?P<process>\d{1,9}), begun (?P<begun>\d{1,12})\) at (?P<when>\S+)\..*"
)


@dataclass(frozen=True, kw_only=True)
class OwnerProcess:
    """The process that works with a temporary destination, and since ``created``.

    ``started`` is when the process was started, in whole seconds since 1970: its number is given to others later.
    """

    user: str
    host: str
    pid: int
    started: int
    created: datetime

    def __str__(self) -> str:
        return f"{self.user}@{self.host} (process {self.pid})"


@dataclass(frozen=True)
class MarkedDestination:
    """A temporary destination as the tree has it, in whole or in part; no ``host`` and ``port``, no connection."""

    ae_title: str
    owner: OwnerProcess
    host: str | None = None
    port: int | None = None
    _: KW_ONLY
    tls: bool = False


def format_mark(title: str, owner: OwnerProcess) -> str:
    """Return the description of the device and the AE of *title*; names are in it as far as they are ASCII."""
    user, host = (re.sub(r"[^!-~]", "_", text) for text in (owner.user, owner.host))
    return (
        f"Temporary destination {title} of dcmcfg verify, made by {user}@{host.replace('@', '_')} "
        f"(process {owner.pid}, begun {owner.started}) at {format_iso(owner.created)}. "
        "dcmcfg verify --clean-temporary removes it, if that process is gone."
    )


def find_marked_destinations(configuration: Configuration) -> tuple[MarkedDestination, ...]:
    """Return the temporary destinations that *configuration* holds, by the mark on their devices.

    A device that was renamed, or is a clone, is none: its name is not the mark's. Nor is one that has other AEs only.
    """
    return tuple(_find_remnants(configuration))


def _find_remnants(configuration: Configuration) -> Iterator[MarkedDestination]:
    for device in configuration.devices:
        match = _FORM.fullmatch(device.entry.text(DICOM_DESCRIPTION) or "")
        if match is None or match["title"].lower() != device.name.lower():
            continue
        created, titles = parse_timestamp(match["when"]), [ae.title for ae in device.network_aes]
        if created is None or (titles and match["title"] not in titles):
            continue
        owner = OwnerProcess(
            user=match["user"],
            host=match["host"],
            pid=int(match["process"]),
            started=int(match["begun"]),
            created=created,
        )
        connection = next(iter(device.connections), None)
        if connection is None:
            yield MarkedDestination(match["title"], owner)
        else:
            yield MarkedDestination(match["title"], owner, connection.host, connection.port, tls=connection.tls)


def find_title_occurrences(tree: Tree, title: str) -> tuple[str, ...]:
    """Return where *tree* still holds *title*, as ``DN`` or ``DN (attribute)``."""
    value = title.encode()
    return tuple(
        f"{entry.dn} ({attribute.name})"
        for entry in tree.sorted_entries()
        for attribute in entry.attributes
        if value in attribute.values
    )
