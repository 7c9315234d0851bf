"""Our own receiver in a verification: how it listens, and what is reported of it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.dicom.peer import DicomTimeouts
from dcmcfg.dicom.storage.files import check_saved_file
from dcmcfg.dicom.storage.receiver import ReceivedInstance, Receiver
from dcmcfg.printable import format_count
from dcmcfg.verify.addresses import VerificationAddresses

#: Seconds after the archive's answer in which stragglers may still arrive.
LATE_ARRIVAL_WAIT_S = 2.0


@dataclass(frozen=True)
class ReceiverOptions:
    """Whether files are kept, and where; whether data sets are digested; and the TLS that callers must speak."""

    storage_folder: Path | None = None
    computes_sha256: bool = False
    tls: ssl.SSLContext | None = None

    def create_receiver(
        self,
        ae_title: str,
        *,
        host: str,
        port: int,
        timeouts: DicomTimeouts,
        on_received: Callable[[ReceivedInstance], None],
    ) -> Receiver:
        """Return a receiver that is to listen there; it does not yet."""
        return Receiver(
            ae_title,
            host,
            port,
            timeouts,
            on_received=on_received,
            save_folder=self.storage_folder,
            sha256=self.computes_sha256,
            tls=self.tls,
        )

    def create_destination_receiver(
        self, addresses: VerificationAddresses, on_received: Callable[[int], None]
    ) -> Receiver:
        """Return the destination's receiver, not listening yet; *on_received* is told how much has arrived.

        Raises ValueError where nobody knows the destination's address.
        """
        peer = addresses.destination
        if peer is None:
            raise ValueError("to receive, the destination's address must be known")

        def count(_: ReceivedInstance) -> None:
            on_received(receiver.received_count)

        receiver = self.create_receiver(
            peer.ae_title, host=peer.host, port=peer.port, timeouts=addresses.timeouts, on_received=count
        )
        return receiver


def wait_for_instances(
    receiver: Receiver, outcome: MoveOutcome, is_ignored: Callable[[ReceivedInstance], bool]
) -> tuple[ReceivedInstance, ...]:
    """Return what arrived, waiting a moment where the archive reports more; *is_ignored* ones do not count."""
    reported = outcome.completed or 0

    def has_enough(received: Sequence[ReceivedInstance]) -> bool:
        if len(received) < reported:
            return False
        return len({each.sop_instance_uid for each in received if not is_ignored(each)}) >= reported

    receiver.wait_until(has_enough, LATE_ARRIVAL_WAIT_S)
    return receiver.received


def read_files_back(
    instances: tuple[ReceivedInstance, ...], on_step: Callable[[str], None]
) -> tuple[ReceivedInstance, ...]:
    """Return *instances* with what is wrong with their kept files, each file read once."""
    number = sum(each.saved_path is not None for each in instances)
    if not number:
        return instances
    on_step(f"reading {format_count(number, 'kept file')} back")
    return tuple(map(check_saved_file, instances))


def format_receiver_problems(receiver: Receiver) -> tuple[str, ...]:
    """Return what our receiver had to refuse, as notes."""
    return tuple(f"at our receiver: {trouble}" for trouble in receiver.problems)
