"""Archives that the archive's web interface lists as a cluster (``dcmuiDeviceClusterObject``).

Only the web interface uses these entries: it sends a reload to the URL of each member. So they show the URLs of nodes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree

_APPLICATION_PATH = "/dcm4chee-arc"


@dataclass(frozen=True)
class ClusterMember:
    """A member of a cluster: its name in the tree, and the base URL of its archive.

    ``has_own_device`` is true if the tree has another device with the name of the member: then it is an archive of its
    own, not a node of this one.
    """

    cluster: str
    name: str
    archive_url: str
    has_own_device: bool = False


def list_cluster_members(tree: Tree, device_name: str) -> tuple[ClusterMember, ...]:
    """Return the installed members of the installed clusters in *tree*, in its order, each URL once.

    *device_name* is the name of the archive's device.
    """
    urls = {
        each.text("dcmuiDeviceURLName") or "": each
        for each in tree.sorted_entries()
        if each.is_a("dcmuiDeviceURLObject") and each.text("dcmuiDeviceURLInstalled") != "FALSE"
    }
    found: dict[str, ClusterMember] = {}
    for cluster in tree.sorted_entries():
        if cluster.is_a("dcmuiDeviceClusterObject") and cluster.text("dcmuiDeviceClusterInstalled") != "FALSE":
            for member in _list_members(tree, cluster, urls, device_name):
                found.setdefault(member.archive_url, member)
    return tuple(found.values())


def _list_members(tree: Tree, cluster: Entry, urls: dict[str, Entry], device_name: str) -> Iterator[ClusterMember]:
    for name in cluster.texts("dcmuiDeviceClusterDevices"):
        entry = urls.get(name)
        url = entry.text("dcmuiDeviceURL") if entry is not None else None
        if url:
            has_own_device = name.lower() != device_name.lower() and _has_device(tree, name)
            yield ClusterMember(cluster.text("dcmuiDeviceClusterName") or "", name, _complete_url(url), has_own_device)


def _has_device(tree: Tree, name: str) -> bool:
    try:
        Configuration(tree).get_device(name)
    except NotFound:
        return False
    return True


def _complete_url(url: str) -> str:
    """Return the base URL of the archive for *url*, which may lack the path, as the web interface accepts both."""
    base = url.rstrip("/")
    return base if base.endswith(_APPLICATION_PATH) else base + _APPLICATION_PATH


def make_node_name(member: ClusterMember) -> str:
    """Return the name of *member* with the characters that the name of a node in a profile may have."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", member.name).strip("-")[:40] or "node"
