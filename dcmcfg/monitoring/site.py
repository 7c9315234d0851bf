"""The site that is checked: its servers, and its tree, which is read once for all parts."""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, replace
from pathlib import Path

from dcmcfg.archive.control import ControlService
from dcmcfg.archive.loaded_configuration import LoadedConfiguration
from dcmcfg.directory.failures import INVALID_CREDENTIALS
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.server import LdapServerSettings
from dcmcfg.directory.subschema import read_schema
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import DcmcfgError, DirectoryError
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.monitoring.deadline import Deadline
from dcmcfg.monitoring.metrics import DIRECTORY_ENTRIES
from dcmcfg.monitoring.parts import Part
from dcmcfg.monitoring.report import Figure, PartResult
from dcmcfg.monitoring.state import State
from dcmcfg.printable import format_count
from dcmcfg.schema.definitions import Schema


@dataclass(frozen=True)
class NodeClients:
    """The clients for the control service of a node, and for the endpoints that show its configuration."""

    service: ControlService
    loaded: LoadedConfiguration


@dataclass(frozen=True, kw_only=True)
class MonitoredNode:
    """A node of the archive: its name, its URL, and its clients.

    ``host`` is the host of its DICOM ports; empty for the hosts that the directory has. ``clients`` returns the
    clients, or raises :class:`~dcmcfg.errors.DcmcfgError`, for example for a token that cannot be read.
    """

    name: str
    archive_url: str
    host: str
    clients: Callable[[], NodeClients]


@dataclass(frozen=True, kw_only=True)
class MonitoredSite:
    """The servers of a site, with their credentials.

    ``get_server`` returns the settings of the directory server at ``ldap_url``, and ``get_state_folder`` the state
    folder of the account; both raise :class:`~dcmcfg.errors.DcmcfgError`, for example for a password that cannot be
    read. ``make_tls_context`` returns the context for DICOM over TLS.
    """

    ldap_url: str
    get_server: Callable[[], LdapServerSettings]
    device: str
    nodes: tuple[MonitoredNode, ...]
    replica_urls: tuple[str, ...]
    make_tls_context: Callable[[], ssl.SSLContext]
    get_state_folder: Callable[[], Path]

    def bound_server(self, deadline: Deadline, url: str = "") -> LdapServerSettings:
        """Return the directory server, or the one at *url* with its credentials; no request exceeds *deadline*.

        Raises what ``get_server`` raises.
        """
        server, remaining_s = self.get_server(), max(deadline.remaining_s, 0.1)
        return replace(
            server,
            url=url or server.url,
            connect_timeout_s=min(remaining_s, server.connect_timeout_s),
            receive_timeout_s=min(math.ceil(remaining_s), server.receive_timeout_s),
        )


class TreeUnavailable(DcmcfgError):
    """A tree that could not be read, so that a part cannot be checked."""


@dataclass(frozen=True)
class LiveTree:
    """The tree of the directory server, and the server's schema; None if the server does not publish it."""

    tree: Tree
    server_schema: Schema | None

    @property
    def configuration(self) -> Configuration:
        return Configuration(self.tree)


class SharedTree:
    """The tree of the directory, which one part reads, and for which others wait."""

    def __init__(self, site: MonitoredSite, deadline: Deadline, *, with_schema: bool) -> None:
        self._site, self._deadline, self._with_schema = site, deadline, with_schema
        self._future: Future[LiveTree] = Future()

    def read(self) -> PartResult:
        """Read the tree, and return the result of the part ``directory``; raises nothing."""
        started = time.monotonic()
        unavailable = TreeUnavailable("not checked, because the directory could not be read")
        try:
            live = self._read()
        except DcmcfgError as error:
            self._future.set_exception(unavailable)
            return PartResult(
                part=Part.DIRECTORY,
                state=State.CRITICAL if self._is_away(error) else State.UNKNOWN,
                summary="the directory cannot be read",
                details=(
                    f"{error.subject or self._site.ldap_url}: {error.message}",
                    *([f"next: {error.next_step}"] if error.next_step else ()),
                ),
            )
        except BaseException:
            self._future.set_exception(unavailable)
            raise
        self._future.set_result(live)
        count = len(live.tree.entries)
        return PartResult(
            part=Part.DIRECTORY,
            state=State.OK,
            summary=f"{format_count(count, 'entry', 'entries', grouped=True)} read in "
            f"{time.monotonic() - started:.2f} s",
            figures=(Figure(metric=DIRECTORY_ENTRIES, value=count),),
        )

    def wait(self) -> LiveTree:
        """Return the tree; raises :class:`TreeUnavailable` if it cannot be read before the deadline."""
        try:
            return self._future.result(timeout=self._deadline.leave_margin().remaining_s)
        except FutureTimeoutError:
            raise TreeUnavailable("not checked, because the directory did not respond in time") from None

    def _is_away(self, error: DcmcfgError) -> bool:
        """Return whether *error* is one of the server; without the right password, its state is unknown."""
        try:
            self._site.get_server()
        except DcmcfgError:
            return False
        return isinstance(error, DirectoryError) and error.result_code != INVALID_CREDENTIALS

    def _read(self) -> LiveTree:
        with pause_garbage_collection(), connect(self._site.bound_server(self._deadline)) as directory:
            tree = read_tree(directory)
            return LiveTree(tree, read_schema(directory) if self._with_schema else None)
