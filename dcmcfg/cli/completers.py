"""Shell completion from the site's directory: fast, without prompts, and silent on errors."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import click
from click.shell_completion import CompletionItem

from dcmcfg.cli.options.assignment import split_assignment, split_sign
from dcmcfg.cli.options.site_settings import SITE_SETTINGS
from dcmcfg.cli.session.directory import make_directory_server
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.entry import Entry
from dcmcfg.errors import DcmcfgError, DirectoryError
from dcmcfg.model.devices import Configuration
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.targets import resolve_entry, resolve_network_ae
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.search import completions
from dcmcfg.settings import resolve_settings
from dcmcfg.settings.profiles import list_profile_names

T = TypeVar("T")
#: Time for a completion: a longer delay in the shell would be worse than no names.
_TIMEOUT_S = 1.0


_Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _make_completer(find: Callable[[Configuration, str], Iterable[tuple[str, str]]]) -> _Completer:
    """Return a completer for the names, with descriptions, that *find* returns for the site's configuration."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 — click's signature, as below
        names = _query_configuration(ctx, lambda configuration: list(find(configuration, incomplete)))
        return [CompletionItem(name, help=description) for name, description in names or ()]

    return complete


complete_target = _make_completer(completions.complete_targets)
complete_device = _make_completer(completions.complete_devices)
complete_ae = _make_completer(completions.complete_network_aes)
complete_ae_title = _make_completer(completions.complete_ae_titles)
complete_connection = _make_completer(completions.complete_connections)


def make_part_name_completer(kind: EntityKind) -> _Completer:
    """Return a completer for the names of the parts of *kind* on the archive's device."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
        def find_names(configuration: Configuration) -> list[tuple[str, str]]:
            device = configuration.get_device(resolve_settings(_get_site_options(ctx), os.environ).device)
            return list(completions.complete_names(configuration, kind, incomplete, base_dn=device.entry.dn))

        return [
            CompletionItem(name, help=description) for name, description in _query_configuration(ctx, find_names) or ()
        ]

    return complete


def complete_node(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the nodes in the profile of the site."""
    with suppress(DcmcfgError):  # an error message would break the command line that the user is typing
        nodes = resolve_settings(_get_site_options(ctx), os.environ).nodes
        return [CompletionItem(each.name, help=each.archive_url) for each in nodes if each.name.startswith(incomplete)]
    return []


def complete_external_retrieve(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the titles of the archive's AEs that external retrieves can be sent to."""

    def find_titles(configuration: Configuration) -> list[tuple[str, str]]:
        from dcmcfg.cli.value_completion import list_external_retrieve_titles

        device = resolve_settings(_get_site_options(ctx), os.environ).device
        return list_external_retrieve_titles(configuration, device, incomplete)

    return [
        CompletionItem(name, help=description) for name, description in _query_configuration(ctx, find_titles) or ()
    ]


def complete_profile(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the profiles that begin with *incomplete*; no server is contacted."""
    return [CompletionItem(name) for name in list_profile_names() if name.startswith(incomplete)]


def complete_attribute(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the attributes of the schema that match *incomplete*; no server is contacted."""
    return [
        CompletionItem(name, help=label)
        for name, label in completions.complete_attributes(load_bundled_schema(), incomplete)
    ]


def complete_allowed_attribute(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the attributes that the target may have, or all if the target is unknown."""
    found = completions.complete_attributes(load_bundled_schema(), incomplete, _find_target(ctx))
    return [CompletionItem(name, help=label) for name, label in found]


def complete_existing_attribute(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the attributes that the target has, or all if the target is unknown."""
    found = completions.complete_attributes(load_bundled_schema(), incomplete, _find_target(ctx), only_present=True)
    return [CompletionItem(name, help=label) for name, label in found]


def complete_assignment(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the attributes that the target may have, each with ``=``; after an operator, the matching values.

    After ``+=`` these are values that the target accepts, after ``-=`` those that it has, after ``=`` both. ``ATTR+``
    and ``ATTR-`` become ``ATTR+=`` and ``ATTR-=``.
    """
    name, operator, value_prefix = split_assignment(incomplete)
    if not operator:
        return _complete_attribute_and_operator(ctx, incomplete)
    meaning = ctx.params.get("equals") or "=" if operator == "=" else operator
    values = _list_existing_values(ctx, name, value_prefix) if meaning in ("=", "-=") else []
    if meaning in ("=", "+="):
        values += _list_acceptable_values(ctx, name, value_prefix)
    return [CompletionItem(f"{name}{operator}{value}") for value in dict.fromkeys(values)]


def _complete_attribute_and_operator(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    name, sign = split_sign(incomplete)
    meaning = f"{sign}=" if sign else ctx.params.get("equals")
    found = completions.complete_attributes(
        load_bundled_schema(), name, _find_target(ctx), only_present=meaning == "-="
    )
    return [
        CompletionItem(f"{each}{sign}=", help=label)
        for each, label in found
        if not sign or each.lower() == name.lower()
    ]


def _list_existing_values(ctx: click.Context, name: str, incomplete: str) -> list[str]:
    entry = _find_target(ctx)
    return [] if entry is None else list(completions.complete_values(load_bundled_schema(), name, incomplete, entry))


def _list_acceptable_values(ctx: click.Context, name: str, incomplete: str) -> list[str]:
    """Return the values of *name* that begin with *incomplete*.

    These are the values that the target accepts, or all known values if the target is unknown.
    """
    resolve = _get_target_resolver(ctx)
    found = None
    if resolve is not None:
        found = _query_configuration(ctx, functools.partial(_list_values_of_target, resolve, name, incomplete))
    return list(completions.complete_values(load_bundled_schema(), name, incomplete)) if found is None else found


def _list_values_of_target(
    resolve: Callable[[Configuration], Entry], name: str, incomplete: str, configuration: Configuration
) -> list[str]:
    from dcmcfg.cli.value_completion import list_new_values

    return list_new_values(configuration, resolve(configuration), name, incomplete)


def _find_target(ctx: click.Context) -> Entry | None:
    resolve = _get_target_resolver(ctx)
    return None if resolve is None else _query_configuration(ctx, resolve)


def _get_target_resolver(ctx: click.Context) -> Callable[[Configuration], Entry] | None:
    """Return a function that finds the entry named on the command line; None if no argument names one yet."""
    for parameter, resolve in _TARGET_RESOLVERS.items():
        text = ctx.params.get(parameter)
        if isinstance(text, str):
            return functools.partial(resolve, ctx, text)
    return None


def _resolve_any(ctx: click.Context, text: str, configuration: Configuration) -> Entry:  # noqa: ARG001 — one signature for all three
    return resolve_entry(configuration, text)


def _resolve_ae(ctx: click.Context, text: str, configuration: Configuration) -> Entry:
    return resolve_network_ae(configuration, text, ctx.params.get("on_device")).entry


def _resolve_device(ctx: click.Context, text: str, configuration: Configuration) -> Entry:  # noqa: ARG001
    return configuration.get_device(text).entry


_TARGET_RESOLVERS = {"target": _resolve_any, "ae": _resolve_ae, "name": _resolve_device}


def _query_configuration(ctx: click.Context, query: Callable[[Configuration], T]) -> T | None:
    """Return the result of *query*, or None if there is none in time.

    The query runs in a separate thread, which is abandoned after the time-out: a name lookup (DNS) that hangs cannot be
    interrupted otherwise.
    """
    results: list[T] = []

    def run_query() -> None:
        with suppress(Exception):  # a completion must not print errors into the command line
            results.append(query(Configuration(_read_site_tree(ctx))))

    thread = threading.Thread(target=run_query, daemon=True)
    thread.start()
    thread.join(_TIMEOUT_S)
    return results[0] if results else None


def _read_site_tree(ctx: click.Context) -> Tree:
    """Return the tree of the site that the command line names so far; the caller suppresses errors."""
    settings = resolve_settings(_get_site_options(ctx), os.environ)
    password = settings.bind_password() if settings.bind_dn else ""
    if password is None:
        raise DirectoryError("no password is set, and shell completion does not ask for a password")
    server = replace(make_directory_server(settings, password), connect_timeout_s=_TIMEOUT_S, receive_timeout_s=1)
    with connect(server) as directory:
        return read_tree(directory)


def _get_site_options(ctx: click.Context) -> dict[str, str]:
    """Return the site options of the command line; those after the command override those before it."""
    options = {} if ctx.parent is None else _get_site_options(ctx.parent)
    given_options = {name: ctx.params.get(name) for name in SITE_SETTINGS}
    return options | {name: str(value) for name, value in given_options.items() if value is not None}
