"""Our own receiver in a verification: how it listens, and what is told of it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.dicom.peer import Timeouts
from dcmcfg.dicom.storage.files import read_back
from dcmcfg.dicom.storage.receiver import ReceivedInstance, Receiver
from dcmcfg.verify.addresses import Addresses

#: Seconds after the archive's answer in which stragglers may still arrive.
STRAGGLERS_S = 2.0


@dataclass(frozen=True)
class Listening:
    """Whether files are kept, and where; whether data sets are digested; and the TLS that callers must speak."""

    keep: Path | None = None
    sha256: bool = False
    tls: ssl.SSLContext | None = None

    def at(
        self, title: str, host: str, port: int, timeouts: Timeouts, on_received: Callable[[ReceivedInstance], None]
    ) -> Receiver:
        """Return a receiver that is to listen there; it does not yet."""
        return Receiver(title, host, port, timeouts, on_received, keep=self.keep, sha256=self.sha256, tls=self.tls)

    def as_destination(self, addresses: Addresses, on_received: Callable[[int], None]) -> Receiver:
        """Return the destination's receiver, not listening yet; *on_received* is told how much has arrived.

        Raises ValueError where nobody knows the destination's address.
        """
        peer = addresses.destination
        if peer is None:
            raise ValueError("to receive, the destination's address must be known")

        def count(_: ReceivedInstance) -> None:
            on_received(receiver.number)

        receiver = self.at(peer.ae_title, peer.host, peer.port, addresses.timeouts, count)
        return receiver


def everything_arrived(
    receiver: Receiver, outcome: MoveOutcome, is_early: Callable[[ReceivedInstance], bool]
) -> tuple[ReceivedInstance, ...]:
    """Return what arrived, waiting a moment where the archive says that more was sent than arrived and *is_early*."""
    reported = outcome.completed or 0

    def enough(arrived: Sequence[ReceivedInstance]) -> bool:
        if len(arrived) < reported:
            return False
        return len({each.sop_instance_uid for each in arrived if not is_early(each)}) >= reported

    receiver.wait_until(enough, STRAGGLERS_S)
    return receiver.received


def all_read_back(
    instances: tuple[ReceivedInstance, ...], on_step: Callable[[str], None]
) -> tuple[ReceivedInstance, ...]:
    """Return *instances* with what is wrong with their kept files, each file read once."""
    number = sum(each.kept is not None for each in instances)
    if not number:
        return instances
    on_step(f"reading {number} kept file{'' if number == 1 else 's'} back")
    return tuple(map(read_back, instances))


def troubles(receiver: Receiver) -> tuple[str, ...]:
    """Return what our receiver had to refuse, as notes."""
    return tuple(f"at our receiver: {trouble}" for trouble in receiver.troubles)
