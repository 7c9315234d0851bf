"""The build hook of hatchling that adds the man pages to a wheel, as files of ``share/man``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManPageHook(BuildHookInterface[Any]):
    """Write the man pages before the build, and remove them after it."""

    PLUGIN_NAME = "custom"
    _folder: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the pages to *build_data*; an editable installation (*version*) has none, because they would get old."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)  # the version of dcmcfg that is built, whichever is installed
        from release.man_pages import write_man_pages

        self._folder = tempfile.TemporaryDirectory(prefix="dcmcfg-man-")
        for path in write_man_pages(Path(self._folder.name)):
            build_data["shared_data"][str(path)] = f"share/man/{path.parent.name}/{path.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 — hatchling's signature
        """Remove the pages, which the wheel contains now."""
        if self._folder is not None:
            self._folder.cleanup()
