"""The build backend of pyproject.toml: hatchling, with the requirements of the man pages.

To write the man pages, the build hook (build_hook.py) loads all commands. So the build of a wheel already requires the
dependencies of dcmcfg. hatchling's own setting for this, ``require-runtime-dependencies``, would also apply to editable
installations. These have no man pages, and would take twice as long.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import hatchling.build
from hatchling.build import (
    build_editable,
    build_sdist,
    build_wheel,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]

_PROJECT_FILE = Path(__file__).parents[1] / "pyproject.toml"


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    """Return what the build of a wheel requires beside hatchling (PEP 517)."""
    dependencies: list[str] = tomllib.loads(_PROJECT_FILE.read_text("utf-8"))["project"]["dependencies"]
    return [*hatchling.build.get_requires_for_build_wheel(config_settings), *dependencies]
