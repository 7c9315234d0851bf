"""Option of ``verify`` about a study that is looked for."""

from __future__ import annotations

from dataclasses import dataclass

import click

from dcmcfg.cli.option_group import option_group
from dcmcfg.dicom.query_keys import parse_keys
from dcmcfg.render.visible import visible
from dcmcfg.verify.recall import Choice, Recall, purged_study

_ANY = ""


@dataclass(frozen=True)
class Recalling:
    """Whether a purged study is looked for, and by which keys; None where one is named."""

    recall: str | None

    def require_sense(self, study: str | None) -> None:
        """Raise :class:`click.UsageError` where a study is named all the same."""
        if self.recall is not None and study is not None:
            raise click.UsageError("--recall takes the place of --study")

    def keys(self) -> dict[str, str]:
        """Return the keys by keyword; raises :class:`~dcmcfg.errors.MalformedInput` for what is none."""
        return dict(parse_keys(self.recall)) if self.recall else {}

    def choose(self, recall: Recall) -> Choice | None:
        """Return the study that is taken, said on stderr with what was done to find it; None where one is named.

        Raises what :func:`purged_study` does.
        """
        if self.recall is None:
            return None
        chosen = purged_study(recall, _tell)
        _tell(f"chosen: study {chosen.study_uid}, {chosen.why}")
        return chosen


def _tell(words: str) -> None:
    click.echo(f"recall: {visible(words)}", err=True)


recall_options = option_group(
    "recalling",
    Recalling,
    [
        click.option(
            "--recall",
            is_flag=False,
            flag_value=_ANY,
            default=None,
            metavar="[KEYS]",
            help="Instead of --study: look for a study that is purged, the smallest found, among those that match "
            "PatientID=4711,StudyDate=20240101- if that is given.",
        )
    ],
)
