"""Ask the selected nodes before a change whether they respond, and which device they run with."""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.archive.loaded_configuration import TIMEOUTS, LoadedConfiguration
from dcmcfg.cli.options.node_options import NodeOptions
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.archive import make_web_client
from dcmcfg.cli.session.node_access import warn_of_exposures
from dcmcfg.cli.session.reload import ReachableArchive, connect_archive
from dcmcfg.errors import ArchiveError
from dcmcfg.limits import HTTP_BODY
from dcmcfg.printable import escape_unprintable
from dcmcfg.schema_names import DICOM_DEVICE_NAME
from dcmcfg.settings import Settings
from dcmcfg.settings.nodes import (
    make_node_settings,
    name_node_setting,
    select_nodes,
)
from dcmcfg.settings.site import Node


@dataclass(frozen=True)
class ReachableNode:
    """A node that responds, or that the user accepts to be down (``--keep-going``)."""

    node: Node
    archive: ReachableArchive


def contact_nodes(settings: Settings, options: NodeOptions, alternative: str) -> tuple[ReachableNode, ...]:
    """Return the selected nodes after each has responded; raises :class:`ArchiveError` for one that does not.

    With ``--keep-going``, a node that does not respond is only a warning. *alternative* replaces the suggestion of
    ``--no-reload``, if it is set. Raises :class:`~dcmcfg.errors.NotFound` for an unknown node.
    """
    found = []
    for node in select_nodes(settings, options.names):
        node_settings = make_node_settings(settings, node)
        archive = _connect(node_settings, node, options, alternative)
        if settings.nodes:
            _require_device(node_settings, node)
        found.append(ReachableNode(node, archive))
    warn_of_exposures(settings, [each.node for each in found])
    return tuple(found)


def _require_device(settings: Settings, node: Node) -> None:
    """Raise :class:`ArchiveError` if *node* runs with another device: then it is an archive of its own."""
    client = make_web_client(settings, TIMEOUTS, HTTP_BODY)
    content = LoadedConfiguration(node.archive_url, client).read("/devicename")
    name = content.get(DICOM_DEVICE_NAME) if isinstance(content, dict) else None
    # LDAP compares names of devices without case. Without an answer, nothing is known, and the reload decides.
    if isinstance(name, str) and name.lower() != settings.device.lower():
        raise ArchiveError(
            f"node {node.name} runs with the device {name}, not with {settings.device}; nothing was changed",
            subject=node.archive_url,
            next_step=f"create a separate profile for the archive that runs with the device {name}; to remove the node "
            f"from the profile {settings.profile}: dcmcfg config unset {settings.profile}.nodes.{node.name}",
        )


def _connect(settings: Settings, node: Node, options: NodeOptions, alternative: str) -> ReachableArchive:
    try:
        return connect_archive(settings, alternative) if alternative else connect_archive(settings)
    except ArchiveError as error:
        if not settings.nodes:
            raise
        if options.keep_going:
            print_message(f"warning: node {node.name}: {escape_unprintable(error.message)}")
            return ReachableArchive.without_contact(settings)
        raise ArchiveError(
            f"node {node.name}: {error.message}",
            subject=error.subject,
            next_step=f"{name_node_setting(error.next_step, settings)}; to continue with the other nodes: --keep-going",
        ) from error
