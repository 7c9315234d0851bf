"""Rejected items of a command, and the file for them, to be fixed and passed to the command again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from dcmcfg.errors import DcmcfgError, IncompleteChange
from dcmcfg.files.ldif import STDIN
from dcmcfg.files.private import write_private
from dcmcfg.plan.ldif_output import format_rejects, remove_format_line
from dcmcfg.plan.plan import InapplicableChange
from dcmcfg.settings import Settings, format_site_headline

_MAX_SHOWN = 20
_REJECTS_STEM = re.compile(r"(.+\.rejects)(?:-([1-9]\d{0,8}))?")


def choose_rejects_path(files: Sequence[Path], explicit_path: Path | None, *, suffix: str, option: str = "") -> Path:
    """Return the file for rejected items of *files*: *explicit_path*, else next to the first file, with *suffix*.

    The rejects of ``a.csv`` are ``a.rejects.csv``, then ``a.rejects-2.csv``, and so on. Raises a usage error, which
    names *option* if any, if *files* is standard input only: it has no folder.
    """
    if explicit_path is not None:
        return explicit_path
    first = next((file for file in files if str(file) != STDIN), None)
    if first is None:
        requirement = f"{option} requires --rejects FILE" if option else "--rejects FILE is required"
        raise click.UsageError(f"{requirement} for standard input")
    earlier = _REJECTS_STEM.fullmatch(first.stem)
    stem = f"{earlier[1]}-{int(earlier[2] or 1) + 1}" if earlier else f"{first.stem}.rejects"
    return first.with_name(f"{stem}{suffix}")


@dataclass(frozen=True)
class RejectedItem:
    """One rejected item: its sentence for warnings, and its object for ``--json``."""

    message: str
    json_fields: dict[str, Any]


@dataclass(frozen=True)
class RejectsFile:
    """The rejected items, called ``item_plural`` in messages, and the new file for them.

    ``render_file`` returns the text of the file with the given heading.
    """

    path: Path
    items: tuple[RejectedItem, ...]
    render_file: Callable[[str], str]
    item_plural: str

    @staticmethod
    def from_records(path: Path, misfits: Sequence[InapplicableChange]) -> RejectsFile:
        """Return the rejects file for records that do not fit the tree."""

        def render_file(heading: str) -> str:
            comments = [heading, "Fix these records, then apply this file. The file may contain secrets."]
            if len({misfit.desired.is_content_record for misfit in misfits}) > 1:
                comments.append("This file contains entries and changes: apply the file with --mixed.")
            return format_rejects(misfits, comments=comments)

        return RejectsFile(path, tuple(map(_make_rejected_item, misfits)), render_file, "records")

    def format_messages(self) -> Iterator[str]:
        """Yield a sentence for each rejected item; for many items, only the first ones."""
        for each in self.items[:_MAX_SHOWN]:
            yield f"rejected: {each.message}"
        if len(self.items) > _MAX_SHOWN:
            yield f"rejected: {len(self.items) - _MAX_SHOWN} more {self.item_plural}"

    def to_json(self) -> list[dict[str, Any]]:
        """Return the rejected items for ``--json``."""
        return [each.json_fields for each in self.items]

    def require_unused_path(self, settings: Settings) -> None:
        """Raise :class:`DcmcfgError` if the file exists with other content: the user may have fixed it."""
        if self.items and self.path.exists() and not _has_content(self.path, self._render_for_site(settings)):
            raise self._make_exists_error()

    def _render_for_site(self, settings: Settings) -> str:
        return self.render_file(f"dcmcfg rejects for {format_site_headline(settings)}")

    @contextmanager
    def write_for_change(self, settings: Settings) -> Iterator[None]:
        """Write the file if there are rejected items; remove the file if the block changes nothing.

        A file from an earlier run with the same content is kept. Raises what :meth:`require_unused_path` raises, and
        :class:`DcmcfgError` if the file cannot be written.
        """
        text = self._render_for_site(settings)
        if not self.items or _has_content(self.path, text):
            yield
            return
        try:
            write_private(self.path, text)
        except FileExistsError:
            raise self._make_exists_error() from None
        except OSError as error:
            raise DcmcfgError(
                f"the rejects file cannot be written ({error.strerror})", subject=str(self.path)
            ) from error
        try:
            yield
        except IncompleteChange:  # a part of the plan was applied, so the user needs the rejected items
            raise
        except DcmcfgError:
            self.path.unlink(missing_ok=True)
            raise

    def _make_exists_error(self) -> DcmcfgError:
        # FILE may be a rejects file too, so the next step names the file.
        return DcmcfgError(
            "the rejects file already exists, and its content differs from the new rejects; nothing was changed",
            subject=str(self.path),
            next_step=f"if you have fixed the {self.item_plural} in {self.path}, run the command with this file as "
            f"FILE. If not, remove {self.path}, or specify a different file with --rejects",
        )


def _has_content(path: Path, text: str) -> bool:
    # A file of another dcmcfg version may differ only in its format number.
    try:
        return path.is_file() and remove_format_line(path.read_bytes()) == remove_format_line(text.encode())
    except OSError:
        return False


def _make_rejected_item(misfit: InapplicableChange) -> RejectedItem:
    desired, problem = misfit.desired, misfit.problem
    return RejectedItem(
        str(problem), {"location": str(desired.location or ""), "dn": str(desired.change.dn), "reason": problem.message}
    )
