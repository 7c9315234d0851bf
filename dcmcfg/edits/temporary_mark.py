"""The mark of a temporary destination in the tree, with its owner process and its start time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from datetime import datetime

from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.schema_names import DICOM_DESCRIPTION
from dcmcfg.timestamps import format_iso, parse_timestamp

#: The form of a mark. Directories may contain marks of earlier versions of dcmcfg, so it must not change.
#: Its numbers have few digits, because Python refuses to convert thousands of digits.
_FORM = re.compile(
    r"Temporary destination (?P<title>\S+) of dcmcfg verify, made by (?P<user>.*)@(?P<host>\S*) "
    r"\(process (?P<process>\d{1,9}), begun (?P<begun>\d{1,12})\) at (?P<when>\S+)\..*"
)


@dataclass(frozen=True, kw_only=True)
class OwnerProcess:
    """The process that owns a temporary destination, which it created at ``created``.

    ``started`` is the start time of the process in whole seconds since 1970. It is needed because the system reuses
    process numbers.
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
    """A complete or partial temporary destination in the tree; without a connection, ``host`` and ``port`` are None."""

    ae_title: str
    owner: OwnerProcess
    host: str | None = None
    port: int | None = None
    _: KW_ONLY
    tls: bool = False


def format_mark(title: str, owner: OwnerProcess) -> str:
    """Return the description for the device and the AE *title*; other characters than ASCII are replaced in names."""
    # The last @ separates the user from the host, so the host must not contain one.
    user, host = (re.sub(r"[^!-~]", "_", text) for text in (owner.user, owner.host))
    return (
        f"Temporary destination {title} of dcmcfg verify, made by {user}@{host.replace('@', '_')} "
        f"(process {owner.pid}, begun {owner.started}) at {format_iso(owner.created)}. "
        "dcmcfg verify --clean-temporary removes it, if that process is gone."
    )


def find_marked_destinations(configuration: Configuration) -> tuple[MarkedDestination, ...]:
    """Return the temporary destinations in *configuration*, by the mark on their devices.

    A renamed or copied device is ignored, because its name differs from the mark. A device that has only other AEs is
    ignored too.
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
    """Return the places in *tree* that still contain *title*, as ``DN (attribute)``."""
    value = title.encode()
    return tuple(
        f"{entry.dn} ({attribute.name})"
        for entry in tree.sorted_entries()
        for attribute in entry.attributes
        if value in attribute.values
    )
