"""Configure the receiver of dcmcfg in a verification, and report on it."""

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

#: Seconds after the archive's response in which late instances may still arrive.
LATE_ARRIVAL_WAIT_S = 2.0


@dataclass(frozen=True)
class ReceiverOptions:
    """The folder for received files, if any; whether to compute SHA-256 digests; and the TLS that callers must use."""

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
        """Return a receiver for this address that does not listen yet."""
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
        """Return the destination's receiver, not listening yet; *on_received* gets the number of instances.

        Raises ValueError if the destination's address is unknown.
        """
        peer = addresses.destination
        if peer is None:
            raise ValueError("to receive instances, dcmcfg requires the address of the destination")

        def count(_: ReceivedInstance) -> None:
            on_received(receiver.received_count)

        receiver = self.create_receiver(
            peer.ae_title, host=peer.host, port=peer.port, timeouts=addresses.timeouts, on_received=count
        )
        return receiver


def wait_for_instances(
    receiver: Receiver, outcome: MoveOutcome, is_ignored: Callable[[ReceivedInstance], bool]
) -> tuple[ReceivedInstance, ...]:
    """Return the received instances, after a short wait if the archive reports more; *is_ignored* ones do not count."""
    reported = outcome.completed or 0

    def has_enough(received: Sequence[ReceivedInstance]) -> bool:
        # Comparing lengths first avoids a new set for each arrival, which would take quadratic time.
        if len(received) < reported:
            return False
        return len({each.sop_instance_uid for each in received if not is_ignored(each)}) >= reported

    receiver.wait_until(has_enough, LATE_ARRIVAL_WAIT_S)
    return receiver.received


def read_files_back(
    instances: tuple[ReceivedInstance, ...], on_step: Callable[[str], None]
) -> tuple[ReceivedInstance, ...]:
    """Return *instances* with the problems of their kept files, reading each file once."""
    number = sum(each.saved_path is not None for each in instances)
    if not number:
        return instances
    on_step(f"verifying {format_count(number, 'kept file')} on disk")
    return tuple(map(check_saved_file, instances))


def format_receiver_problems(receiver: Receiver) -> tuple[str, ...]:
    """Return the requests that the receiver had to refuse, as notes."""
    return tuple(f"at the receiver of dcmcfg: {trouble}" for trouble in receiver.problems)
