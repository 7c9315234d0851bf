"""What a study is asked with, whichever destination it is sent to.

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

#: An exit code, and what returns the object for ``--json``.
CommandResult = tuple[int, Callable[[], dict[str, Any]]]


class AddressFinder(Protocol):
    """Finds where everybody is in a configuration, for a Move Destination, received by us or not."""

    def __call__(
        self, configuration: Configuration, *, destination_ae_title: str, receive: bool
    ) -> VerificationAddresses:
        """Return the addresses; raises as :func:`~dcmcfg.verify.addresses.find_addresses` does."""


@dataclass(frozen=True, kw_only=True)
class DestinationRequest:
    """The AE that will be asked to send to it, and as whom.

    ``server_hosts`` are the hosts of the directory and of the archive's web interface; ``receiver_settings`` tells how
    we receive, and ``tls_files`` what is shown to whoever calls with TLS, which is required with ``use_tls``.
    """

    archive_ae: NetworkAE
    calling_ae_title: str
    find_addresses: AddressFinder
    server_hosts: tuple[str, ...]
    receiver_settings: ReceiverOptions
    tls_files: TlsFiles
    use_tls: bool
