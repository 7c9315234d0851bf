"""Shell completion from the site's own directory: quick, without a question, and silent when it does not work."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import click
from click.shell_completion import CompletionItem

from dcmcfg.cli.lazy_import import loaded
from dcmcfg.cli.options.site_settings import SITE_SETTINGS
from dcmcfg.cli.session.directory import directory_server
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.entry import Entry
from dcmcfg.errors import DirectoryError
from dcmcfg.model.devices import Configuration
from dcmcfg.model.references.kinds import Kind
from dcmcfg.model.targets import target
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import bundled
from dcmcfg.search import completions
from dcmcfg.settings import resolve
from dcmcfg.settings.profiles import profile_names

T = TypeVar("T")
#: Nobody waits longer for a list of names.
_PATIENCE_S = 1.0


_Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _offering(find: Callable[[Configuration, str], Iterable[tuple[str, str]]]) -> _Complete:
    """Return what offers the names that *find* finds in the site's configuration, with what they are."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 — click's signature, as below
        found = _asked(ctx, lambda configuration: list(find(configuration, incomplete)))
        return [CompletionItem(name, help=what) for name, what in found or ()]

    return complete


complete_target = _offering(completions.targets)
complete_device = _offering(completions.devices)
complete_ae = _offering(completions.network_aes)
complete_title = _offering(completions.titles)
complete_connection = _offering(completions.connections)


def complete_name(kind: Kind) -> _Complete:
    """Return the completion of the name of a thing of *kind* on the archive's device."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
        def of_archive(configuration: Configuration) -> list[tuple[str, str]]:
            archive = configuration.device(resolve(_site(ctx), os.environ).device)
            return list(completions.names(configuration, kind, incomplete, below=archive.entry.dn))

        return [CompletionItem(name, help=what) for name, what in _asked(ctx, of_archive) or ()]

    return complete


def complete_external_retrieve(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the titles of the archive's AEs that external retrieves can be sent to."""

    def of_archive(configuration: Configuration) -> list[tuple[str, str]]:
        device = resolve(_site(ctx), os.environ).device
        found: list[tuple[str, str]] = loaded("value_completion", "external_retrieves")(
            configuration, device, incomplete
        )
        return found

    return [CompletionItem(name, help=what) for name, what in _asked(ctx, of_archive) or ()]


def complete_profile(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the profiles that *incomplete* may become; no server is asked."""
    return [CompletionItem(name) for name in profile_names() if name.startswith(incomplete)]


def complete_attribute(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the attributes of the schema that *incomplete* may become; no server is asked."""
    return [CompletionItem(name, help=label) for name, label in completions.attributes(bundled(), incomplete)]


def complete_possible_attribute(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the attributes that may stand on the target, or all when it is not known."""
    found = completions.attributes(bundled(), incomplete, _target(ctx))
    return [CompletionItem(name, help=label) for name, label in found]


def complete_held_attribute(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the attributes that the target has, or all when it is not known."""
    found = completions.attributes(bundled(), incomplete, _target(ctx), held=True)
    return [CompletionItem(name, help=label) for name, label in found]


def complete_set_value(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return what :func:`complete_new_value` does, the values that the target has now first."""
    held = complete_held_value(ctx, param, incomplete) if "=" in incomplete else []
    new = complete_new_value(ctx, param, incomplete)
    return list({item.value: item for item in (*held, *new)}.values())


def complete_new_value(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the ``ATTR=`` that may stand on the target, and after it the values that are known or name a thing."""
    name, equals, begun = incomplete.partition("=")
    if equals:
        return [CompletionItem(f"{name}={value}") for value in _values(ctx, name, begun)]
    found = completions.attributes(bundled(), incomplete, _target(ctx))
    return [CompletionItem(f"{each}=", help=label) for each, label in found]


def complete_held_value(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the ``ATTR=`` that the target has, and after it the values that it has."""
    name, equals, begun = incomplete.partition("=")
    entry = _target(ctx)
    if equals:
        found = completions.values(bundled(), name, begun, entry) if entry is not None else ()
        return [CompletionItem(f"{name}={value}") for value in found]
    return [
        CompletionItem(f"{each}=", help=label)
        for each, label in completions.attributes(bundled(), incomplete, entry, held=True)
    ]


def _values(ctx: click.Context, name: str, begun: str) -> list[str]:
    """Return the values of *name* that *begun* may become: those that the target accepts, or all that are known."""
    text = ctx.params.get("target")

    def of_target(configuration: Configuration) -> list[str]:
        found: list[str] = loaded("value_completion", "new_values")(configuration, text, name, begun)
        return found

    found = _asked(ctx, of_target) if isinstance(text, str) else None
    return list(completions.values(bundled(), name, begun)) if found is None else found


def _target(ctx: click.Context) -> Entry | None:
    text = ctx.params.get("target")
    return _asked(ctx, lambda configuration: target(configuration, text)) if isinstance(text, str) else None


def _asked(ctx: click.Context, question: Callable[[Configuration], T]) -> T | None:
    """Return the answer to *question*, or None when there is none in time.

    It is asked in a thread of its own, which is left behind when it takes too long: a name server that does not
    answer heeds no other time-out.
    """
    answers: list[T] = []

    def ask() -> None:
        with suppress(Exception):  # whatever it is, a list of names is not the place to tell it
            answers.append(question(Configuration(_tree(ctx))))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_PATIENCE_S)
    return answers[0] if answers else None


def _tree(ctx: click.Context) -> Tree:
    """Return the tree of the site that the command line names so far; raises what nobody will see."""
    settings = resolve(_site(ctx), os.environ)
    password = settings.bind_password() if settings.bind_dn else ""
    if password is None:
        raise DirectoryError("no password is known, and this is no time to ask")
    server = replace(directory_server(settings, password), connect_timeout_s=_PATIENCE_S, receive_timeout_s=1)
    with connect(server) as directory:
        return read_tree(directory)


def _site(ctx: click.Context) -> dict[str, str]:
    """Return the site options of the command line; those after the command win."""
    options = {} if ctx.parent is None else _site(ctx.parent)
    given = {name: ctx.params.get(name) for name in SITE_SETTINGS}
    return options | {name: str(value) for name, value in given.items() if value is not None}
