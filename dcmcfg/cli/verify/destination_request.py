"""The parts of a retrieve request that do not depend on the destination.

Kept apart: cli.verify.temporary_destination uses it without the options in cli.verify.run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from dcmcfg.dicom.tls import TlsFiles
from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.verify.addresses import VerificationAddresses
from dcmcfg.verify.receiver_options import ReceiverOptions

#: An exit code, and a function that returns the object for ``--json``.
CommandResult = tuple[int, Callable[[], dict[str, Any]]]


class AddressFinder(Protocol):
    """Finds the addresses of all peers in a configuration; with *receive*, dcmcfg is the Move Destination."""

    def __call__(
        self, configuration: Configuration, *, destination_ae_title: str, receive: bool
    ) -> VerificationAddresses:
        """Return the addresses; raises what :func:`~dcmcfg.verify.addresses.find_addresses` raises."""


@dataclass(frozen=True, kw_only=True)
class DestinationRequest:
    """The data for a temporary destination: the AE of the archive that will send to the destination, and the receiver.

    ``calling_ae_title`` is the caller of the C-MOVE. ``server_hosts`` are the hosts of the directory and of the
    archive's web interface. ``receiver_settings`` are the options of the receiver, ``tls_files`` its certificate; with
    ``use_tls``, TLS is required.
    """

    archive_ae: NetworkAE
    calling_ae_title: str
    find_addresses: AddressFinder
    server_hosts: tuple[str, ...]
    receiver_settings: ReceiverOptions
    tls_files: TlsFiles
    use_tls: bool
