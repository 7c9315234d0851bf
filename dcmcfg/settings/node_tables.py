"""The tables of nodes in a profile, ``[nodes.NAME]``, and their flat form in memory.

The key ``archive_url`` of the node ``east`` is ``nodes.east.archive_url`` in the flat form, so that a profile is a
mapping of strings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dcmcfg.errors import MalformedInput

#: The table of the nodes in a profile.
NODES_TABLE = "nodes"
#: The keys of a node.
NODE_KEYS = ("archive_url", "ldap_url", "archive_token_file")
NODE_FILE_KEYS = ("archive_token_file",)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


def check_node_name(name: str, subject: str) -> None:
    """Raise :class:`MalformedInput`, which names *subject*, unless *name* can be the name of a node."""
    if not _NAME.fullmatch(name):
        raise MalformedInput(
            f"{name!r} is not a valid name for a node: use at most 40 letters, digits, '_' and '-'", subject=subject
        )


def split_node_key(key: str) -> tuple[str, str] | None:
    """Return name and key of a node from *key* of a profile, ``nodes.NAME.KEY`` or ``nodes.NAME`` (empty key).

    Returns None for a key outside the nodes.
    """
    table, _, rest = key.partition(".")
    if table != NODES_TABLE or not rest:
        return None
    name, _, node_key = rest.partition(".")
    return name, node_key


def flatten_nodes(content: object, where: str) -> dict[str, str]:
    """Return the flat keys and values of *content*, the table ``nodes`` of the profile at *where*, in file order.

    Raises :class:`MalformedInput` for other content than nodes with known keys, and for a node without an archive URL.
    """
    if not isinstance(content, Mapping) or not content:
        raise MalformedInput(f"{NODES_TABLE!r} must contain a table for each node: [nodes.NAME]", subject=where)
    found: dict[str, str] = {}
    for name, keys in content.items():
        table = f"{where}: [{NODES_TABLE}.{name}]"
        check_node_name(name, table)
        if not isinstance(keys, Mapping):
            raise MalformedInput("a node must be a table", subject=table)
        for key, value in keys.items():
            if key not in NODE_KEYS:
                raise MalformedInput(
                    f"unknown key {key!r}", subject=table, next_step=f"valid keys of a node: {', '.join(NODE_KEYS)}"
                )
            if not isinstance(value, str) or not value:
                raise MalformedInput(f"the value of {key!r} must be a quoted, non-empty string", subject=table)
            found[f"{NODES_TABLE}.{name}.{key}"] = value
        if "archive_url" not in keys:
            raise MalformedInput(
                "the node has no archive_url", subject=table, next_step="add archive_url, or remove the node"
            )
    return found


def list_node_names(values: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the nodes in the flat profile *values*, in file order."""
    prefix = f"{NODES_TABLE}."
    return tuple(dict.fromkeys(key.split(".")[1] for key in values if key.startswith(prefix)))
