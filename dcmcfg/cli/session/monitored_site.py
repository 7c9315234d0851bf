"""The site of ``monitor``, with clients for its servers.

Nothing is printed on standard error, because some monitoring systems read it together with standard output.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import click

from dcmcfg.archive.control import ControlService
from dcmcfg.archive.http_client import HttpTimeouts
from dcmcfg.archive.loaded_configuration import TIMEOUTS, LoadedConfiguration
from dcmcfg.cli import invocation
from dcmcfg.cli.options.association_tls import TlsOptions
from dcmcfg.cli.session.archive import get_credential, make_web_client
from dcmcfg.cli.session.directory import make_directory_server
from dcmcfg.cli.terminal import get_bind_password
from dcmcfg.directory.server import LdapServerSettings
from dcmcfg.errors import DcmcfgError
from dcmcfg.limits import HTTP_BODY
from dcmcfg.monitoring.site import MonitoredNode, MonitoredSite, NodeClients
from dcmcfg.settings import Settings
from dcmcfg.settings.exposure import find_archive_exposures, find_exposures
from dcmcfg.settings.folders import get_state_folder
from dcmcfg.settings.nodes import list_nodes, make_node_settings, make_replica_settings
from dcmcfg.settings.site import Node

if TYPE_CHECKING:
    from dcmcfg.verify.evidence_sources import EvidenceSources

T = TypeVar("T")


def make_monitored_site(settings: Settings, timeout_s: float) -> tuple[MonitoredSite, tuple[str, ...]]:
    """Return the site of *settings*, and warnings of exposed credentials; nothing is sent yet.

    A secret that cannot be read is an error of the part that requires it. No request takes longer than *timeout_s*
    seconds.
    """
    nodes = list_nodes(settings)
    notes = _collect_exposures(settings, nodes)
    messages = io.StringIO()
    with redirect_stderr(messages):
        tls_files = TlsOptions().get_tls_files(settings)
    notes += [line.removeprefix("warning: ") for line in messages.getvalue().splitlines()]
    replica_urls = tuple(dict.fromkeys(each.ldap_url for each in nodes if each.ldap_url != settings.ldap_url))
    site = MonitoredSite(
        ldap_url=settings.ldap_url,
        get_server=_call_now(functools.partial(_make_server, settings)),
        device=settings.device,
        nodes=tuple(_make_node(settings, each, timeout_s) for each in nodes),
        replica_urls=replica_urls,
        make_tls_context=tls_files.client_context,
        get_state_folder=get_state_folder,
    )
    return site, tuple(dict.fromkeys(notes))


def make_evidence_opener(settings: Settings) -> Callable[[str], EvidenceSources]:
    """Return a function that opens the sources of evidence for an archive AE; any thread can call it."""
    from dcmcfg.cli.verify.evidence_options import EvidenceOptions  # only a recall loads the modules of verify

    options = EvidenceOptions(
        expected_instances=None, require_observation=False, require_route=False, external_log=None, use_qido=None
    )
    context = click.get_current_context()

    def open_sources(archive_ae: str) -> EvidenceSources:
        with context.scope(cleanup=False):
            return options.open_evidence_sources(settings, archive_ae)

    return open_sources


def _collect_exposures(settings: Settings, nodes: tuple[Node, ...]) -> list[str]:
    """Return the warnings of exposed credentials; clients that are made later do not print them."""
    notes = list(find_exposures(settings))
    for url in dict.fromkeys(each.ldap_url for each in nodes if each.ldap_url != settings.ldap_url):
        notes += find_exposures(make_replica_settings(settings, url))
    for node in nodes:
        notes += find_archive_exposures(make_node_settings(settings, node))
    invocation.current().printed_warnings.update(notes)
    return notes


def _make_server(settings: Settings) -> LdapServerSettings:
    return make_directory_server(settings, get_bind_password(settings) if settings.bind_dn else "")


def _make_node(settings: Settings, node: Node, timeout_s: float) -> MonitoredNode:
    node_settings = make_node_settings(settings, node)
    # The nodes share the tree, which has one host for all of them, so their URLs have the hosts of their DICOM ports.
    host = urlsplit(node.archive_url).hostname or "" if settings.nodes else ""
    return MonitoredNode(
        name=node.name,
        archive_url=node.archive_url,
        host=host,
        clients=_call_now(functools.partial(_make_clients, node_settings, timeout_s)),
    )


def _make_clients(settings: Settings, timeout_s: float) -> NodeClients:
    timeouts = HttpTimeouts(
        connect=min(timeout_s, HttpTimeouts().connect), response=min(timeout_s, HttpTimeouts().response)
    )
    service = ControlService(
        settings.archive_url,
        get_credential(settings, timeouts),
        settings.ca_file,
        timeouts=timeouts,
        device=settings.device,
        require_crl=settings.require_crl,
    )
    client = make_web_client(
        settings,
        HttpTimeouts(connect=min(timeout_s, TIMEOUTS.connect), response=min(timeout_s, TIMEOUTS.response)),
        HTTP_BODY,
    )
    return NodeClients(service, LoadedConfiguration(settings.archive_url.rstrip("/"), client))


def _call_now(function: Callable[[], T]) -> Callable[[], T]:
    """Call *function*, which may prompt for a secret, and return a function with the same result or error."""
    try:
        value = function()
    except DcmcfgError as error:
        failure = error

        def fail() -> T:
            raise failure

        return fail
    return lambda: value
