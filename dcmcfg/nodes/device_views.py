"""Read the archive's JSON of its device from each node at the same time.

Kept apart: ``check`` loads the HTTP client only for this.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from dcmcfg.archive.authorized_client import AuthorizedClient
from dcmcfg.archive.device_view import read_device_view
from dcmcfg.errors import ArchiveError
from dcmcfg.lint.archive_view.differences import DeviceView

_MAX_PARALLEL = 16


@dataclass(frozen=True)
class ViewSource:
    """The node ``node``, at ``archive_url``, with the client for its web services."""

    node: str
    archive_url: str
    client: AuthorizedClient


@dataclass(frozen=True)
class UnreadableNode:
    """A node that did not show the device, with the reason."""

    node: str
    error: ArchiveError


def read_device_views(
    sources: Sequence[ViewSource], device_name: str
) -> tuple[tuple[DeviceView, ...], tuple[UnreadableNode, ...]]:
    """Return the JSON of the device *device_name* from each of *sources*, and the nodes that did not show it."""
    with ThreadPoolExecutor(max_workers=_MAX_PARALLEL) as pool:
        found = tuple(pool.map(lambda source: _read_view(source, device_name), sources))
    return (
        tuple(each for each in found if isinstance(each, DeviceView)),
        tuple(each for each in found if isinstance(each, UnreadableNode)),
    )


def _read_view(source: ViewSource, device_name: str) -> DeviceView | UnreadableNode:
    try:
        return DeviceView(source.node, read_device_view(source.client, source.archive_url, device_name))
    except ArchiveError as error:
        return UnreadableNode(source.node, error)
