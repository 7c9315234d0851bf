"""Compare the archive's device with the JSON that each node of the site shows of it, for ``check``.

A module of its own: other checks do not load the HTTP client.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.archive.device_view import TIMEOUTS
from dcmcfg.cli.session.archive import make_web_client
from dcmcfg.errors import ArchiveError
from dcmcfg.limits import DEVICE_BODY
from dcmcfg.lint.archive_view.differences import find_view_differences
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.nodes.device_views import UnreadableNode, ViewSource, read_device_views
from dcmcfg.schema.findings import EntryFinding
from dcmcfg.settings import Settings
from dcmcfg.settings.nodes import make_node_settings, name_node_setting, select_nodes


@dataclass(frozen=True)
class ViewComparison:
    """The findings of the nodes that answered, and the error of the others, or None."""

    findings: tuple[EntryFinding, ...]
    error: ArchiveError | None


def compare_archive_view(settings: Settings, tree: Tree) -> ViewComparison:
    """Return the differences between *tree* and the JSON of the archive's device, node by node.

    Raises :class:`~dcmcfg.errors.NotFound` if the tree has no such device, :class:`ArchiveError` if no node shows the
    device, and the errors of :func:`make_web_client`.
    """
    device = Configuration(tree).get_device(settings.device)
    # The clients are made one after the other: they may ask for a secret.
    sources = []
    for node in select_nodes(settings, ()):
        node_settings = make_node_settings(settings, node)
        client = make_web_client(node_settings, TIMEOUTS, DEVICE_BODY)
        sources.append(ViewSource(node_settings.node, node_settings.archive_url, client))
    views, unreadable = read_device_views(sources, device.name)
    error = _build_error(settings, unreadable)
    if error is not None and not views:
        raise error
    return ViewComparison(find_view_differences(tree, device.entry, views), error)


def _build_error(settings: Settings, unreadable: tuple[UnreadableNode, ...]) -> ArchiveError | None:
    """Return the error of the first of *unreadable* nodes, with a line for each of the others; None without any."""
    if not unreadable:
        return None
    first, *others = unreadable
    node_settings = next(
        (make_node_settings(settings, each) for each in settings.nodes if each.name == first.node), settings
    )
    name = f"node {first.node}: " if first.node else ""
    return ArchiveError(
        f"{name}{first.error.message}",
        subject=first.error.subject,
        next_step=name_node_setting(first.error.next_step, node_settings),
        details=[f"node {each.node}: {each.error.message}" for each in others],
    )
