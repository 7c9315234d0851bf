"""The parts of a check of a site, with the limit of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from dcmcfg.errors import MalformedInput
from dcmcfg.monitoring.state import NO_LIMIT, Limit
from dcmcfg.suggestions import suggest_names

#: The word for "no limit" in place of a number.
NONE = "none"


class Part(Enum):
    """A part of a check, by the name that options and the output have for it."""

    DIRECTORY = "directory"
    NODES = "nodes"
    LOADED = "loaded"
    REPLICAS = "replicas"
    CHECK = "check"
    DRIFT = "drift"
    ECHO = "echo"
    CERTIFICATES = "certificates"
    RECALL = "recall"


@dataclass(frozen=True)
class LimitDescription:
    """The figure that is compared with the limit of a part, as a phrase, and the default limit."""

    figure: str
    default: Limit


LIMITS: Mapping[Part, LimitDescription] = {
    Part.NODES: LimitDescription("nodes that are not started", Limit(critical=0)),
    Part.LOADED: LimitDescription("values that differ between a node and the directory", Limit(warning=0)),
    Part.REPLICAS: LimitDescription("seconds that a replica is behind", Limit(warning=30, critical=300)),
    Part.CHECK: LimitDescription("errors of dcmcfg check", Limit(warning=0)),
    Part.DRIFT: LimitDescription("changed entries", Limit(warning=0)),
    Part.ECHO: LimitDescription("AEs that do not respond", Limit(critical=0)),
    Part.CERTIFICATES: LimitDescription(
        "days until a certificate expires", Limit(warning=30, critical=7, is_minimum=True)
    ),
    Part.RECALL: LimitDescription("hours since the last recall", Limit(warning=48)),
}


def make_limits(warnings: Iterable[str], criticals: Iterable[str]) -> Mapping[Part, Limit]:
    """Return the limit of each part: the defaults, changed by texts ``PART=N`` or ``PART=none``.

    Raises :class:`MalformedInput` for another text.
    """
    limits = {part: LIMITS[part].default if part in LIMITS else NO_LIMIT for part in Part}
    for text in warnings:
        part, number = _parse_limit(text)
        limits[part] = replace(limits[part], warning=number)
    for text in criticals:
        part, number = _parse_limit(text)
        limits[part] = replace(limits[part], critical=number)
    return limits


def _parse_limit(text: str) -> tuple[Part, float | None]:
    name, _, number = text.partition("=")
    known = {part.value: part for part in LIMITS}
    if name not in known:
        similar = suggest_names(name, tuple(known))
        hint = f"did you mean {', '.join(similar)}? " if similar else ""
        raise MalformedInput(
            f"{name!r} is not a part that can have a limit",
            subject=repr(text),
            next_step=f"{hint}parts that can have a limit: {', '.join(known)}",
        )
    if number == NONE:
        return known[name], None
    # float() also reads "inf", "nan", "1_0" and blanks.
    if not number.replace(".", "", 1).isdecimal() or not number.isascii():
        raise MalformedInput(
            "the limit must be 0, a positive number, or the word none",
            subject=repr(text),
            next_step=f"for example {name}=1",
        )
    return known[name], float(number)
