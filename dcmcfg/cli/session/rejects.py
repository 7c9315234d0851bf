"""What a command leaves out of its plan, and the file that it is written to, to be mended and given again."""

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
    """Return the file for what is left out of *files*: *explicit_path*, else beside the first of them, with *suffix*.

    ``a.csv`` has ``a.rejects.csv``, which has ``a.rejects-2.csv``, and so on.
    Standard input has no folder: a usage error then says that *option*, if any, needs a file name.
    """
    if explicit_path is not None:
        return explicit_path
    first = next((file for file in files if str(file) != STDIN), None)
    if first is None:
        requirement = f"{option} needs --rejects FILE" if option else "--rejects FILE is needed"
        raise click.UsageError(f"{requirement} when it reads standard input")
    earlier = _REJECTS_STEM.fullmatch(first.stem)
    stem = f"{earlier[1]}-{int(earlier[2] or 1) + 1}" if earlier else f"{first.stem}.rejects"
    return first.with_name(f"{stem}{suffix}")


@dataclass(frozen=True)
class RejectedItem:
    """One thing that is left out: the sentence that tells it, and the object for ``--json``."""

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
        """Return records that do not fit as what is left out."""

        def render_file(heading: str) -> str:
            comments = [heading, "To be mended and applied. May hold secrets."]
            if len({misfit.desired.is_content_record for misfit in misfits}) > 1:
                comments.append("It holds entries and changes, so apply it with --mixed.")
            return format_rejects(misfits, comments=comments)

        return RejectsFile(path, tuple(map(_make_rejected_item, misfits)), render_file, "records")

    def format_messages(self) -> Iterator[str]:
        """Yield a sentence for each that is left out; of many the first ones."""
        for each in self.items[:_MAX_SHOWN]:
            yield f"left out: {each.message}"
        if len(self.items) > _MAX_SHOWN:
            yield f"left out: {len(self.items) - _MAX_SHOWN} more {self.item_plural}"

    def to_json(self) -> list[dict[str, Any]]:
        """Return what is left out for ``--json``."""
        return [each.json_fields for each in self.items]

    def require_unused_path(self, settings: Settings) -> None:
        """Raise :class:`DcmcfgError` when a file of that name holds something else: it may have been mended since."""
        if self.items and self.path.exists() and not _has_content(self.path, self._render_for_site(settings)):
            raise _make_exists_error(self.path)

    def _render_for_site(self, settings: Settings) -> str:
        return self.render_file(f"dcmcfg rejects for {format_site_headline(settings)}")

    @contextmanager
    def write_for_change(self, settings: Settings) -> Iterator[None]:
        """Write the file, if there is something to write; it goes again when the block changes nothing.

        One that holds just that, from an earlier run, stays. Raises what :meth:`require_unused_path` does, and
        :class:`DcmcfgError` when it cannot be written.
        """
        text = self._render_for_site(settings)
        if not self.items or _has_content(self.path, text):
            yield
            return
        try:
            write_private(self.path, text)
        except FileExistsError:
            raise _make_exists_error(self.path) from None
        except OSError as error:
            raise DcmcfgError(f"the rejects cannot be written ({error.strerror})", subject=str(self.path)) from error
        try:
            yield
        except IncompleteChange:
            raise
        except DcmcfgError:
            self.path.unlink(missing_ok=True)
            raise


def _has_content(path: Path, text: str) -> bool:
    try:
        return path.is_file() and remove_format_line(path.read_bytes()) == remove_format_line(text.encode())
    except OSError:
        return False


def _make_exists_error(path: Path) -> DcmcfgError:
    return DcmcfgError(
        "what is left out would be written there, and the file holds something else, nothing was changed",
        subject=str(path),
        next_step="if it was mended, give that file; else remove it, or --rejects names a new file",
    )


def _make_rejected_item(misfit: InapplicableChange) -> RejectedItem:
    desired, problem = misfit.desired, misfit.problem
    return RejectedItem(
        str(problem), {"location": str(desired.location or ""), "dn": str(desired.change.dn), "reason": problem.message}
    )
