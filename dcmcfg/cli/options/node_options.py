"""The options that choose the nodes of the archive, and say how they load a change."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from dcmcfg.cli.options.quantities import Quantity
from dcmcfg.cli.options.topic_option import topic_option
from dcmcfg.cli.topics import NODES

R = TypeVar("R")
_MAX_TIMEOUT_S = 86_400
#: Seconds to wait for a replica by default.
DEFAULT_REPLICA_TIMEOUT_S = 60.0
AUTOMATIC, MARKER, NONE = "auto", "marker", "none"


@dataclass(frozen=True, kw_only=True)
class NodeOptions:
    """The nodes ``names`` (empty: all), and how they load a change.

    ``confirm`` is the way in which a reload is confirmed: ``auto``, ``marker`` or ``none``.
    """

    names: tuple[str, ...] = ()
    keep_going: bool = False
    parallel: bool = False
    replica_timeout_s: float = DEFAULT_REPLICA_TIMEOUT_S
    confirm: str = AUTOMATIC


#: Option → its placeholder and its help, in the order of the help topic.
NODE_OPTION_TEXTS = {
    "--node": ("NAME", "Handle only this node; can be repeated."),
    "--all-nodes": ("", "Handle all nodes; the default."),
    "--keep-going": ("", "If a node fails, continue with the next node."),
    "--parallel-nodes": ("", "Reload all nodes at the same time, instead of one after the other."),
    "--replica-timeout-s": ("S", "Seconds to wait until a replica has the change; 60 by default."),
    "--confirm": (
        "HOW",
        "How to confirm each reload. auto: by the values that the node shows; this is the default. marker: also by a "
        "temporary entry. none: no confirmation.",
    ),
}


def complete_node(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the nodes of the site that begin with *incomplete*; the completers are loaded only for completion."""
    from dcmcfg.cli import completers

    return completers.complete_node(ctx, param, incomplete)


def node_name_option(command: Callable[..., R]) -> Callable[..., R]:
    """Return *command* with ``--node``, called with ``node: str | None``."""
    return topic_option(NODES)(
        "--node", "node", metavar="NAME", shell_complete=complete_node, help=NODE_OPTION_TEXTS["--node"][1]
    )(command)


def node_options(*, with_confirm: bool = True) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Return a decorator that adds the options of the nodes, as the parameter ``node_options``."""

    def add(command: Callable[..., R]) -> Callable[..., R]:
        @functools.wraps(command)
        def with_node_options(
            *,
            node: tuple[str, ...],
            all_nodes: bool,
            keep_going: bool,
            parallel_nodes: bool,
            replica_timeout_s: float,
            confirm: str = AUTOMATIC,
            **rest: Any,
        ) -> R:
            if node and all_nodes:
                raise click.UsageError("--node and --all-nodes cannot be used together")
            options = NodeOptions(
                names=node,
                keep_going=keep_going,
                parallel=parallel_nodes,
                replica_timeout_s=replica_timeout_s,
                confirm=confirm,
            )
            return command(node_options=options, **rest)

        option = topic_option(NODES)
        decorators = [
            option("--node", multiple=True, metavar="NAME", shell_complete=complete_node, help=_text("--node")),
            option("--all-nodes", is_flag=True, help=_text("--all-nodes")),
            option("--keep-going", is_flag=True, help=_text("--keep-going")),
            option("--parallel-nodes", is_flag=True, help=_text("--parallel-nodes")),
            option(
                "--replica-timeout-s",
                type=Quantity(min=0, max=_MAX_TIMEOUT_S),
                default=DEFAULT_REPLICA_TIMEOUT_S,
                metavar="S",
                help=_text("--replica-timeout-s"),
            ),
        ]
        if with_confirm:
            decorators.append(
                option(
                    "--confirm",
                    type=click.Choice([AUTOMATIC, MARKER, NONE]),
                    default=AUTOMATIC,
                    help=_text("--confirm"),
                )
            )
        for each in reversed(decorators):
            with_node_options = each(with_node_options)
        return with_node_options

    return add


def _text(option: str) -> str:
    return NODE_OPTION_TEXTS[option][1]
