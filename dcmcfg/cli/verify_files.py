"""Options of ``verify`` about files in which its evidence is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from dcmcfg.cli.options.site import option_group, section_option
from dcmcfg.cli.session.output import refuse_unwritable, refuse_unwritable_folder

JSON, HTML = ".json", ".html"


@dataclass(frozen=True)
class EvidenceFiles:
    """The files, of a run over many studies the folders, and whether files may take the place of those that exist."""

    evidence: tuple[str, ...]
    replace: bool

    def require_form(self, *, of_many: bool) -> None:
        """Raise :class:`click.UsageError` for a file of many studies, and a folder of one."""
        for file in self.evidence:
            is_file = ending(file) in (JSON, HTML)
            if of_many and is_file:
                raise click.UsageError(f"--evidence of many studies takes a folder, and {file} is a file")
            if not of_many and not is_file:
                raise click.UsageError(f"--evidence: {file} ends neither in {JSON} nor in {HTML}")

    def refuse_unwritable(self, *, of_many: bool) -> None:
        """Raise :class:`~dcmcfg.errors.DcmcfgError` when one of them cannot be written."""
        for file in self.evidence:
            if of_many:
                refuse_unwritable_folder(file)
            else:
                refuse_unwritable(file, new=not self.replace)


def ending(file: str) -> str:
    """Return the ending of the file's name, which says the form."""
    return Path(file).suffix.lower()


def _each_once(_: click.Context, __: click.Parameter, files: tuple[str, ...]) -> tuple[str, ...]:
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
            callback=_each_once,
            metavar="FILE|FOLDER",
            help="Keep what was configured, asked, answered and received in FILE.json or FILE.html; repeatable. "
            "For many studies name a folder: it gets a JSON file for each answer.",
        ),
        _option("--replace", is_flag=True, help="Let files that are written replace those that exist."),
    ],
)
