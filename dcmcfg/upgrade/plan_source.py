"""What an upgrade was planned from: the releases and the user's choices, as a comment in the plan file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dcmcfg.errors import MalformedInput
from dcmcfg.upgrade.options import UpgradeOptions
from dcmcfg.upgrade.roles import Roles

_COMMENT = "dcmcfg upgrade:"
_LINE = re.compile(rb"^# dcmcfg upgrade: (\{[^\n]*\})\s*$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class PlanSource:
    """The folders or ZIP files of the releases, and the user's choices.

    ``source`` is None if the user has not named the present release, ``installed`` if it is the present one.
    """

    source: Path | None
    target: Path
    installed: Path | None
    updates: tuple[Path, ...]
    options: UpgradeOptions

    def without_answers(self) -> PlanSource:
        """Return the same choices without answers to decisions, which are none once the plan is applied."""
        return replace(self, options=replace(self.options, take=(), keep=()))

    def format_comments(self, roles: Roles) -> tuple[str, ...]:
        """Return the comments for a plan file: these choices for programs, and the *roles* for people."""
        options = self.options
        values: dict[str, Any] = {
            "from": str(self.source.absolute()) if self.source is not None else None,
            "to": str(self.target.absolute()),
            "installed": str(self.installed.absolute()) if self.installed is not None else None,
            "updates": [str(each.absolute()) for each in self.updates],
            "archive": options.archive,
            # Planned again, the upgraded site may resemble the default of the old release less.
            "roles": {**{old: new for old, new in roles.titles.items() if old != new}, **options.roles},
            "without": list(options.without),
            "also": list(options.also),
            "gap": sorted(options.gap),
            "take": list(options.take),
            "keep": list(options.keep),
            "vendor": options.vendor,
        }
        # A run of blanks in a name would become one blank in a comment.
        text = json.dumps(values, separators=(",", ":")).replace(" ", "\\u0020")
        named = [
            f"{old}={new}" for names in (roles.devices, roles.titles, roles.web_apps) for old, new in names.items()
        ]
        return f"{_COMMENT} {text}", f"Roles: {' '.join((*named, *(f'{each}=-' for each in roles.removed)))}"


def parse_plan_source(head: bytes) -> PlanSource | None:
    """Return what a plan file was made from, from its first octets; None for a file that is not the plan of an upgrade.

    Raises :class:`MalformedInput` if the comment is damaged.
    """
    match = _LINE.search(head)
    if match is None:
        return None
    try:
        values = json.loads(match[1])
        return _build_source(values)
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedInput(
            "the comment about the releases in the plan is damaged", next_step="plan again with dcmcfg upgrade plan"
        ) from error


def find_source_comment(head: bytes) -> str:
    """Return the comment with the releases and choices in the first octets of a plan file, empty without one."""
    match = _LINE.search(head)
    return f"{_COMMENT} {match[1].decode('utf-8', 'replace')}" if match is not None else ""


def _build_source(values: Mapping[str, Any]) -> PlanSource:
    installed, vendor = values["installed"], values["vendor"]
    if vendor not in (None, "site", "release"):
        raise ValueError(vendor)
    return PlanSource(
        source=Path(values["from"]) if values["from"] is not None else None,
        target=Path(values["to"]),
        installed=Path(installed) if installed is not None else None,
        updates=tuple(map(Path, values["updates"])),
        options=UpgradeOptions(
            archive=str(values["archive"]),
            roles={str(role): str(name) for role, name in values["roles"].items()},
            without=tuple(map(str, values["without"])),
            also=tuple(map(str, values["also"])),
            gap=frozenset(map(str, values["gap"])),
            take=tuple(map(str, values["take"])),
            keep=tuple(map(str, values["keep"])),
            vendor=vendor,
        ),
    )
