"""The nodes of an archive: servers that share the archive's device, each with its own URL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dcmcfg.errors import MalformedInput, NotFound
from dcmcfg.settings.node_tables import NODES_TABLE, list_node_names
from dcmcfg.settings.secret import Secret
from dcmcfg.settings.site import Node, Settings
from dcmcfg.settings.sources import SettingsSource
from dcmcfg.settings.urls import parse_archive_url, parse_ldap_url
from dcmcfg.suggestions import suggest_names

#: The node of a site that does not list its nodes.
SINGLE_NODE = "archive"


def read_nodes(source: SettingsSource, site_ldap_url: str, server_source: SettingsSource) -> tuple[Node, ...]:
    """Return the nodes in *source*, a profile, in file order; *site_ldap_url* is the default of their ``ldap_url``.

    If *site_ldap_url* comes from another *server_source*, it replaces every ``ldap_url``: the replicas of the profile
    are not those of that server, and must not get its credentials. Raises :class:`MalformedInput` for an invalid URL,
    for a node with an ``ldap_url`` in a profile without one, and for two nodes with the same archive URL.
    """
    nodes = tuple(_read_node(source, name, site_ldap_url) for name in list_node_names(source.values))
    if server_source is not source:
        nodes = tuple(replace(each, ldap_url=site_ldap_url) for each in nodes)
    by_url: dict[str, str] = {}
    for node in nodes:
        if (other := by_url.setdefault(node.archive_url, node.name)) != node.name:
            raise MalformedInput(
                f"the nodes {other} and {node.name} have the same archive_url",
                subject=f"{source.name}: {node.archive_url}",
                next_step="give each node its own URL, not the URL of a load balancer",
            )
    return nodes


def _read_node(source: SettingsSource, name: str, site_ldap_url: str) -> Node:
    prefix = f"{NODES_TABLE}.{name}."
    origin = f"{source.name}, node {name}"
    ldap_url = source.values.get(f"{prefix}ldap_url")
    if ldap_url is not None:
        if "ldap_url" not in source.values:
            raise MalformedInput(
                "the node has an ldap_url, but the profile has no ldap_url",
                subject=origin,
                next_step="add ldap_url to the profile: the URL of the server to which dcmcfg writes changes",
            )
        ldap_url, dn = parse_ldap_url(ldap_url, origin)
        if dn is not None:
            raise MalformedInput(
                "the URL of a node must not contain a DN: all nodes have the base DN of the site", subject=origin
            )
    token_file = source.path(f"{prefix}archive_token_file")
    return Node(
        name=name,
        archive_url=parse_archive_url(source.values[f"{prefix}archive_url"], origin),
        ldap_url=ldap_url or site_ldap_url,
        token_secret=Secret(origin, path=token_file) if token_file is not None else None,
    )


def list_nodes(settings: Settings) -> tuple[Node, ...]:
    """Return the nodes of the site; without nodes in the profile, the archive itself as the only one."""
    return settings.nodes or (Node(name=SINGLE_NODE, archive_url=settings.archive_url, ldap_url=settings.ldap_url),)


def select_nodes(settings: Settings, names: Sequence[str]) -> tuple[Node, ...]:
    """Return the nodes *names*, in the order of the profile; all nodes if *names* is empty.

    Raises :class:`NotFound` for an unknown name.
    """
    nodes = list_nodes(settings)
    if not names:
        return nodes
    known = [each.name for each in settings.nodes]
    for name in names:
        if name not in known:
            raise NotFound(f"there is no node {name}", next_step=_suggest_nodes(settings, name, known))
    return tuple(each for each in nodes if each.name in names)


def _suggest_nodes(settings: Settings, name: str, known: Sequence[str]) -> str:
    if not known:
        profile = settings.profile or "NAME"
        return (
            "no nodes are configured for this command. To add a node: dcmcfg config set "
            f"{profile}.{NODES_TABLE}.{name}.archive_url URL"
        )
    similar = suggest_names(name, known)
    return f"did you mean {', '.join(similar)}?" if similar else f"the nodes are {', '.join(known)}"


def make_node_settings(settings: Settings, node: Node) -> Settings:
    """Return *settings* with the archive URL and the token of *node*.

    A node without a token of its own uses the token, or the OpenID Connect client, of the site.
    """
    if node not in settings.nodes:
        return settings
    origin = f"profile {settings.profile}, node {node.name}"
    own_token = node.token_secret
    return replace(
        settings,
        archive_url=node.archive_url,
        node=node.name,
        origins={**settings.origins, "archive_url": origin, **({"archive_token": origin} if own_token else {})},
        token_secret=own_token or settings.token_secret,
        oidc=None if own_token else settings.oidc,
    )


def name_node_setting(hint: str, settings: Settings) -> str:
    """Return *hint* with the command that sets the URL of the node of *settings*, in place of ``--archive-url``."""
    if not settings.node:
        return hint
    command = f"dcmcfg config set {settings.profile or 'NAME'}.{NODES_TABLE}.{settings.node}.archive_url URL"
    return hint.replace("set the URL with --archive-url", f"run: {command}").replace("--archive-url", command)


def make_replica_settings(settings: Settings, ldap_url: str) -> Settings:
    """Return *settings* with the directory server at *ldap_url*, one that a node reads, with the same credentials."""
    names = ", ".join(each.name for each in settings.nodes if each.ldap_url == ldap_url)
    origin = f"profile {settings.profile}, node {names}"
    return replace(settings, ldap_url=ldap_url, origins={**settings.origins, "ldap_url": origin})


def select_node_settings(settings: Settings, name: str | None) -> Settings:
    """Return *settings* with the archive URL and the token of the node *name*; unchanged without a *name*.

    Raises :class:`NotFound` for an unknown name.
    """
    return settings if name is None else make_node_settings(settings, select_nodes(settings, [name])[0])
