"""What a command leaves out of its plan, and the file that it is written to, to be mended and given again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from dcmcfg.errors import ChangedButNotFinished, DcmcfgError
from dcmcfg.files.ldif import STDIN
from dcmcfg.files.private import write_private
from dcmcfg.plan.ldif_output import rejects_ldif
from dcmcfg.plan.plan import Misfit
from dcmcfg.settings import Settings, site_headline

_TOLD = 20


def rejects_path(files: Sequence[Path], named: Path | None, *, suffix: str, option: str = "") -> Path:
    """Return the file for what is left out of *files*: the one *named*, else beside the first of them, with *suffix*.

    Standard input stands nowhere: a usage error then says that *option*, if any, needs a name.
    """
    if named is not None:
        return named
    first = next((file for file in files if str(file) != STDIN), None)
    if first is None:
        needed = f"{option} needs --rejects FILE" if option else "--rejects FILE is needed"
        raise click.UsageError(f"{needed} when it reads standard input")
    return first.with_name(f"{first.stem}.rejects{suffix}")


@dataclass(frozen=True)
class Rejected:
    """One thing that is left out: the sentence that tells it, and the object for ``--json``."""

    told: str
    json: dict[str, Any]


@dataclass(frozen=True)
class Rejects:
    """What is left out, *things* in the plural, and the new file for it.

    ``text`` makes the file of a heading.
    """

    path: Path
    rejected: tuple[Rejected, ...]
    text: Callable[[str], str]
    things: str

    @staticmethod
    def of_records(path: Path, misfits: Sequence[Misfit]) -> Rejects:
        """Return records that do not fit as what is left out."""

        def text(heading: str) -> str:
            comments = [heading, "To be mended and applied. May hold secrets."]
            if len({misfit.wanted.content for misfit in misfits}) > 1:
                comments.append("It holds entries and changes, so apply it with --mixed.")
            return rejects_ldif(misfits, comments=comments)

        return Rejects(path, tuple(map(_rejected_record, misfits)), text, "records")

    def lines(self) -> Iterator[str]:
        """Yield a sentence for each that is left out; of many the first ones."""
        for each in self.rejected[:_TOLD]:
            yield f"left out: {each.told}"
        if len(self.rejected) > _TOLD:
            yield f"left out: {len(self.rejected) - _TOLD} more {self.things}"

    def json(self) -> list[dict[str, Any]]:
        """Return what is left out for ``--json``."""
        return [each.json for each in self.rejected]

    def require_room(self, settings: Settings) -> None:
        """Raise :class:`DcmcfgError` when a file of that name holds something else: it may have been mended since."""
        if self.rejected and self.path.exists() and not _holds(self.path, self._text(settings)):
            raise _exists(self.path)

    def _text(self, settings: Settings) -> str:
        return self.text(f"dcmcfg rejects for {site_headline(settings)}")

    @contextmanager
    def written(self, settings: Settings) -> Iterator[None]:
        """Write the file, if there is something to write; it goes again when the block changes nothing.

        One that holds just that, from an earlier run, stays. Raises what :meth:`require_room` does, and
        :class:`DcmcfgError` when it cannot be written.
        """
        text = self._text(settings)
        if not self.rejected or _holds(self.path, text):
            yield
            return
        try:
            write_private(self.path, text)
        except FileExistsError:
            raise _exists(self.path) from None
        except OSError as error:
            raise DcmcfgError(f"the rejects cannot be written ({error.strerror})", on=str(self.path)) from error
        try:
            yield
        except ChangedButNotFinished:
            raise
        except DcmcfgError:
            self.path.unlink(missing_ok=True)
            raise


def _holds(path: Path, text: str) -> bool:
    try:
        return path.is_file() and path.read_bytes() == text.encode()
    except OSError:
        return False


def _exists(path: Path) -> DcmcfgError:
    return DcmcfgError(
        "what is left out would be written there, and the file holds something else, nothing was changed",
        on=str(path),
        next_step="if it was mended, give that file; else remove it, or --rejects names a new file",
    )


def _rejected_record(misfit: Misfit) -> Rejected:
    wanted, problem = misfit.wanted, misfit.problem
    return Rejected(str(problem), {"place": wanted.place, "dn": str(wanted.change.dn), "reason": problem.what})
