"""Access to a node and to the replica that it reads: reload, observation, connection."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import replace

import click

from dcmcfg.archive.control import ControlService
from dcmcfg.archive.loaded_configuration import TIMEOUTS, LoadedConfiguration
from dcmcfg.archive.reload_failures import Reload
from dcmcfg.cli import invocation
from dcmcfg.cli.printing import print_message, print_wait
from dcmcfg.cli.session.archive import make_web_client
from dcmcfg.cli.session.reload import ArchiveStopped, require_started
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.server import LdapServerSettings
from dcmcfg.limits import HTTP_BODY
from dcmcfg.nodes.observation import NodeObserver
from dcmcfg.nodes.replicas import OpenReplica
from dcmcfg.nodes.run import NodeAccess
from dcmcfg.printable import escape_unprintable
from dcmcfg.settings import Settings
from dcmcfg.settings.exposure import find_exposures
from dcmcfg.settings.nodes import (
    make_node_settings,
    make_replica_settings,
)
from dcmcfg.settings.site import Node

#: Seconds that a request to a replica may take at least.
_MIN_REPLICA_TIMEOUT_S = 2.0
#: Seconds of waiting at which a line is printed: at the start, and every ten seconds.
_FIRST_REPORT_S, _REPORT_INTERVAL_S = 1.0, 10.0


class ReplicaProgress:
    """Prints a line while a replica is behind: after a second, then every ten seconds."""

    def __init__(self) -> None:
        self._next_s: dict[str, float] = {}

    def report(self, ldap_url: str, seconds: float, reason: str) -> None:
        """Print the state of the replica at *ldap_url* after *seconds*, if it is time."""
        if seconds < self._next_s.get(ldap_url, _FIRST_REPORT_S):
            return
        self._next_s[ldap_url] = seconds + _REPORT_INTERVAL_S
        print_message(escape_unprintable(f"waiting for the replica {ldap_url} ({seconds:.0f} s): {reason} …"))


def make_node_access(
    settings: Settings,
    node: Node,
    service: ControlService,
    *,
    server: LdapServerSettings | None,
    message_prefix: str = "",
    replica_timeout_s: float,
) -> NodeAccess:
    """Return the access to *node*, whose control service is *service*, and whose replica *open_replica* opens.

    *server* is the connection to the directory of the site, whose credentials a replica accepts too; None if no node
    reads a replica. The message about a STOPPED archive begins with *message_prefix*.
    """
    node_settings = make_node_settings(settings, node)
    client = make_web_client(node_settings, TIMEOUTS, HTTP_BODY)
    return NodeAccess(
        name=node.name,
        archive_url=node.archive_url,
        ldap_url=node.ldap_url,
        reload=functools.partial(_reload, click.get_current_context(), service, node_settings, message_prefix),
        observer=NodeObserver(
            LoadedConfiguration(node.archive_url, client),
            "DCMCFG",
            uses_own_host=bool(settings.nodes),
            other_urls=tuple(each.archive_url for each in settings.nodes if each != node),
        ),
        open_replica=None
        if server is None or node.ldap_url == settings.ldap_url
        else make_replica_opener(server, node.ldap_url, replica_timeout_s),
    )


def make_replica_opener(server: LdapServerSettings, ldap_url: str, timeout_s: float) -> OpenReplica:
    """Return a function that connects to the replica at *ldap_url* with the credentials of *server*.

    No request takes much longer than *timeout_s* seconds, so that a silent replica does not hold up the run.
    """
    bounded_s = min(max(timeout_s, _MIN_REPLICA_TIMEOUT_S), server.receive_timeout_s)
    replica = replace(
        server,
        url=ldap_url,
        connect_timeout_s=min(bounded_s, server.connect_timeout_s),
        receive_timeout_s=math.ceil(bounded_s),
    )
    return functools.partial(connect, replica)


def warn_of_exposures(settings: Settings, nodes: Sequence[Node]) -> None:
    """Warn of a password that is sent to a replica unencrypted."""
    for url in dict.fromkeys(each.ldap_url for each in nodes if each.ldap_url != settings.ldap_url):
        for warning in find_exposures(make_replica_settings(settings, url)):
            run = invocation.current()
            if warning not in run.printed_warnings:
                print_message(f"warning: {escape_unprintable(warning)}")
                run.printed_warnings.add(warning)


def _reload(context: click.Context, service: ControlService, settings: Settings, message_prefix: str) -> Reload:
    # Nodes may be reloaded in threads, which have no context of the command.
    with context.scope(cleanup=False):
        reload = service.reload(print_wait)
        # A STOPPED archive loads the configuration too, but its ports remain closed.
        try:
            require_started(service, settings, message_prefix)
        except ArchiveStopped as error:
            error.reload = reload
            raise
    return reload
