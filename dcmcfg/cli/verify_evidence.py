"""Options of ``verify`` about the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from dcmcfg.cli.option_group import option_group


@dataclass(frozen=True)
class EvidenceWanted:
    """What the verdict takes into account, and what it takes for enough."""

    expect: int | None
    require_witness: bool
    external_log: Path | None


evidence_options = option_group(
    "wanted",
    EvidenceWanted,
    [
        click.option("--expect", type=click.IntRange(min=1), metavar="N", help="Number of instances that must arrive."),
        click.option("--require-witness", is_flag=True, help="Exit 1 unless our own receiver saw the instances."),
        click.option(
            "--external-log",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="The external archive's record of its C-MOVEs, as JSON lines.",
        ),
    ],
)
