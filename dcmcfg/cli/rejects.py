"""The records that ``apply --continue`` leaves out, and the file that it writes them to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from dcmcfg.errors import ChangedButNotFinished, DcmcfgError
from dcmcfg.ldif_files import STDIN
from dcmcfg.plan.plan import Misfit
from dcmcfg.plan.rejects import rejects_ldif
from dcmcfg.rollout.private_file import write_private
from dcmcfg.settings import Settings, site_headline

_TOLD = 20


def rejects_path(files: Sequence[Path], named: Path | None) -> Path:
    """Return the file for what is left out of *files*: the one *named*, else beside the first of them."""
    if named is not None:
        return named
    first = next((file for file in files if str(file) != STDIN), None)
    if first is None:
        raise click.UsageError("--continue needs --rejects FILE when it reads standard input")
    return first.with_name(f"{first.stem}.rejects.ldif")


@dataclass(frozen=True)
class Rejects:
    """Records that do not fit, and the new file for them."""

    path: Path
    misfits: tuple[Misfit, ...] = ()

    def require_new(self) -> None:
        """Raise :class:`DcmcfgError` when there is something to write and the file exists."""
        if self.misfits and self.path.exists():
            raise self._exists()

    def lines(self) -> Iterator[str]:
        """Yield a sentence for each record that is left out; of many the first ones."""
        for misfit in self.misfits[:_TOLD]:
            yield f"left out: {misfit.problem}"
        if len(self.misfits) > _TOLD:
            yield f"left out: {len(self.misfits) - _TOLD} more records"

    def json(self) -> list[dict[str, Any]]:
        """Return the records for ``--json``: ``place``, ``dn`` and ``reason``."""
        return [
            {"place": each.wanted.place, "dn": str(each.wanted.change.dn), "reason": each.problem.what}
            for each in self.misfits
        ]

    @contextmanager
    def written(self, settings: Settings) -> Iterator[None]:
        """Write the file, if there is something to write; it goes again when the block changes nothing.

        Raises :class:`DcmcfgError` when it cannot be written.
        """
        if not self.misfits:
            yield
            return
        head = (f"dcmcfg rejects for {site_headline(settings)}", "To be mended and applied. May hold secrets.")
        try:
            write_private(self.path, rejects_ldif(self.misfits, comments=head))
        except FileExistsError:
            raise self._exists() from None
        except OSError as error:
            raise DcmcfgError(f"the rejects cannot be written ({error.strerror})", on=str(self.path)) from error
        try:
            yield
        except ChangedButNotFinished:
            raise
        except DcmcfgError:
            self.path.unlink(missing_ok=True)
            raise

    def _exists(self) -> DcmcfgError:
        return DcmcfgError("the file exists", on=str(self.path), next_step="--rejects names a new file")
