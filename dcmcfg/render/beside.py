"""What a changing command tells beside its plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console


def _nothing(console: Console) -> None:
    """Print nothing."""


@dataclass(frozen=True)
class Beside:
    """What is printed below the plan (``show``), keys for the object of ``--json``, and whether LDIF is shown."""

    show: Callable[[Console], None] = _nothing
    json: Mapping[str, Any] = field(default_factory=dict)
    ldif: bool = True
