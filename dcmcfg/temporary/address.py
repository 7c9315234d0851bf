"""Where the archive finds this machine, and where that is listened on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dcmcfg.dicom.peer import Peer
from dcmcfg.dicom.storage.ports import ALL_ADDRESSES, address_towards, own_addresses
from dcmcfg.errors import DicomError
from dcmcfg.network_address import at


@dataclass(frozen=True)
class Whereabouts:
    """The address of this machine that the archive is given, and the one that is listened on; port 0 is a free one.

    ``why`` says where it comes from, as a phrase.
    """

    host: str
    port: int
    listen: str
    why: str

    def __str__(self) -> str:
        return at(self.host, self.port)


def whereabouts(archive: Peer, servers: Sequence[str], said: tuple[str, int | None] | None) -> Whereabouts:
    """Return where *archive* is to send to: what was *said*, else this machine's address on the way to it.

    Where the tree has the archive on this very machine and one of the *servers* (hosts of the directory and of the
    archive's web interface) is on another, the way to that one counts. What was said and is no address of this
    machine is another's that passes on to it, so all of its own addresses are listened on.
    Raises :class:`DicomError` when no way to the archive is known.
    """
    if said is not None:
        host, port = said
        listen = host if own_addresses(host) else ALL_ADDRESSES
        return Whereabouts(host, port or 0, listen, "as --temporary-address says")
    on_the_way = {host: address_towards(host, archive.port) for host in (archive.host, *servers)}
    others = {host: own for host, own in on_the_way.items() if own and not _is_loopback(own)}
    own, towards = on_the_way[archive.host], archive.host
    if own is not None and _is_loopback(own) and others:
        towards, own = next(iter(others.items()))
    if own is None:
        raise DicomError(
            "there is no way to the archive's host, so it is not known by which address the archive finds this machine",
            on=str(archive),
            next_step="--temporary-address HOST says it, --connect HOST:PORT where the archive is",
        )
    return Whereabouts(own, 0, own, f"by which this machine reaches {towards}")


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"
