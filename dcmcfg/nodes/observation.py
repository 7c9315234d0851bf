"""Observe a node from outside: its endpoints, ports and association negotiation."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from dcmcfg.archive.listeners import is_port_open
from dcmcfg.archive.loaded_configuration import LoadedConfiguration
from dcmcfg.dicom.open_association import open_association
from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.ul.rejection import Rejection
from dcmcfg.errors import DcmcfgError, DicomError
from dcmcfg.nodes.expectations import (
    AssociationExpectation,
    AssociationFact,
    EndpointExpectation,
    Expectation,
    Match,
    PortExpectation,
)
from dcmcfg.well_known_uids import VERIFICATION

_TIMEOUT_S = 2.0
_TIMEOUTS = DicomTimeouts(connect=_TIMEOUT_S, acse=_TIMEOUT_S, dimse=_TIMEOUT_S, network=_TIMEOUT_S)
_UNKNOWN_TITLE = str(Rejection(1, 1, 7))
_LOOPBACK_PREFIXES = ("localhost", "127.", "::1")


@dataclass
class NodeObserver:
    """Observes the node that has ``loaded``; associations are requested as ``calling_ae_title``.

    With ``uses_own_host``, the node listens on the host of its URL, whatever host the configuration names: nodes share
    one configuration, but each has its own address. A port of a host that a node shares with one of ``other_urls``,
    such as that of a proxy, may belong to the other node, so it shows nothing.
    """

    loaded: LoadedConfiguration
    calling_ae_title: str
    uses_own_host: bool = False
    other_urls: tuple[str, ...] = ()

    def observe(self, expectations: Sequence[Expectation]) -> tuple[Match, ...]:
        """Return for each of *expectations* whether the node shows it now."""
        self.loaded.forget()
        return tuple(map(self._observe_one, expectations))

    @property
    def problem(self) -> str:
        """The reason why an endpoint could not be read; empty if there was none."""
        return self.loaded.problem

    def _observe_one(self, expectation: Expectation) -> Match:
        match expectation:
            case EndpointExpectation():
                return expectation.match(self.loaded.read(expectation.path))
            case PortExpectation():
                is_known = not self._shares_host
                host = self._choose_host(expectation.host)
                return expectation.match(is_port_open(host, expectation.port) if is_known else None)
            case AssociationExpectation():
                return expectation.match(None if self._shares_host else self._negotiate(expectation))

    @cached_property
    def _shares_host(self) -> bool:
        own = _resolve_host(self.loaded.url)
        return any(own & _resolve_host(each) for each in self.other_urls)

    def _choose_host(self, host: str) -> str:
        own_host = urlsplit(self.loaded.url).hostname
        if own_host and (self.uses_own_host or host.lower().startswith(_LOOPBACK_PREFIXES)):
            return own_host
        return host

    def _negotiate(self, expectation: AssociationExpectation) -> int | None:
        sop_classes = [each for each in (VERIFICATION, expectation.sop_class) if each]
        try:
            peer = Peer(expectation.called, self._choose_host(expectation.host), expectation.port)
            with open_association(peer, self.calling_ae_title, sop_classes, _TIMEOUTS) as association:
                match expectation.fact:
                    case AssociationFact.CALLED_TITLE:
                        return 1
                    case AssociationFact.MAXIMUM_LENGTH:
                        return association.ul_association.acceptance.maximum_length
                    case AssociationFact.CONTEXT:
                        return int(association.has_accepted(expectation.sop_class))
        except DicomError as error:
            is_unknown_title = error.message == _UNKNOWN_TITLE
            return 0 if is_unknown_title and expectation.fact is AssociationFact.CALLED_TITLE else None
        except DcmcfgError:  # an address that cannot be used, such as an empty host
            return None


def _resolve_host(url: str) -> frozenset[str]:
    """Return the addresses of the host of *url*, and its name."""
    host = urlsplit(url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        found = []
    return frozenset({host, *(str(address[0]) for *_, address in found)})
