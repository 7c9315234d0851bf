"""The name of a new profile: without a dot, so that a typo in the key of a node does not create a profile.

Kept apart: the rule is for new profiles only, unlike the rules of :mod:`~dcmcfg.settings.profiles`.
"""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.errors import MalformedInput
from dcmcfg.settings.node_tables import NODE_KEYS, NODES_TABLE
from dcmcfg.suggestions import suggest_names


def check_new_profile_name(name: str, key: str, existing_names: Iterable[str]) -> None:
    """Raise :class:`MalformedInput` if *name*, the name of a new profile, contains a dot.

    *key* is the key to be written. If ``NAME.KEY`` may be a misspelt key of a node of a profile in *existing_names*,
    the next step is the key of the node. Profiles that an earlier dcmcfg has created may have a dot in their names.
    """
    if "." not in name:
        return
    suggested = _suggest_node_key(name, key, existing_names) or f"{name.replace('.', '-')}.{key}"
    raise MalformedInput(
        f"the profile {name} does not exist, and the name of a new profile must not contain a dot",
        subject=f"{name}.{key}",
        next_step=f"did you mean {suggested}?",
    )


def _suggest_node_key(name: str, key: str, existing_names: Iterable[str]) -> str:
    """Return the key of a node that ``NAME.KEY`` may mean; "" if there is none."""
    if key not in NODE_KEYS:
        return ""
    match name.split("."):
        case [profile, table, node] if node and suggest_names(table, [NODES_TABLE]):
            return f"{profile}.{NODES_TABLE}.{node}.{key}"
        case [profile, node] if node and profile in existing_names:
            return f"{profile}.{NODES_TABLE}.{node}.{key}"
        case _:
            return ""
