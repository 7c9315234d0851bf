"""Options of ``verify`` about files in which its evidence is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from dcmcfg.cli.option_group import option_group
from dcmcfg.cli.output import refuse_unwritable
from dcmcfg.cli.site import section_option

JSON, HTML = ".json", ".html"


@dataclass(frozen=True)
class EvidenceFiles:
    """The files, and whether they may take the place of those that exist."""

    evidence: tuple[str, ...]
    replace: bool

    def refuse_unwritable(self) -> None:
        """Raise :class:`~dcmcfg.errors.DcmcfgError` when one of them cannot be written."""
        for file in self.evidence:
            refuse_unwritable(file, new=not self.replace)


def ending(file: str) -> str:
    """Return the ending of the file's name, which says the form."""
    return Path(file).suffix.lower()


def _by_ending(_: click.Context, __: click.Parameter, files: tuple[str, ...]) -> tuple[str, ...]:
    for file in files:
        if ending(file) not in (JSON, HTML):
            raise click.BadParameter(f"{file} ends neither in {JSON} nor in {HTML}")
    if len({Path(file).resolve() for file in files}) < len(files):
        raise click.BadParameter("the same file twice")
    return files


_option = section_option("What counts")
file_options = option_group(
    "files",
    EvidenceFiles,
    [
        _option(
            "--evidence",
            multiple=True,
            callback=_by_ending,
            metavar="FILE",
            help="Keep what was configured, asked, answered and received in FILE.json or FILE.html; repeatable.",
        ),
        _option("--replace", is_flag=True, help="Let files that are written replace those that exist."),
    ],
)
