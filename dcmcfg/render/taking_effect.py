"""When a change of an attribute takes effect, and how the archive behaves with it, as text and as JSON."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from dcmcfg.render.terminal.console import print_line, wrapped
from dcmcfg.schema.effect_timing import behaviour, explained_effect

_INDENT = 2


def print_taking_effect(console: Console, attribute: str) -> None:
    """Print it for *attribute*, nothing where the archive does not read it and nothing is known."""
    blocks = {
        "Takes effect:": [f"on {each.on}: {each.when}." for each in explained_effect(attribute)],
        "How the archive behaves:": list(behaviour(attribute)),
    }
    for heading, paragraphs in blocks.items():
        if not paragraphs:
            continue
        print_line(console, heading)
        for paragraph in paragraphs:
            for line in wrapped(Text(paragraph), console, _INDENT):
                line.rstrip()
                console.print(Text.assemble(" " * _INDENT, line), soft_wrap=True)
        print_line(console, "")


def taking_effect_json(attribute: str) -> dict[str, Any]:
    """Return ``takes_effect`` (by device: what is needed, and when) and ``behaviour`` (paragraphs) of *attribute*."""
    return {
        "takes_effect": [
            {"on": each.on, "needs": each.needs.value, "when": each.when} for each in explained_effect(attribute)
        ],
        "behaviour": list(behaviour(attribute)),
    }
