"""How a run goes about it: how many at once, how fast, how patient."""

from __future__ import annotations

from dataclasses import dataclass

PARALLEL = 4
RETRIES = 3
FIRST_BACK_OFF_S = 2.0
PATIENCE_S = 300.0


@dataclass(frozen=True)
class Manner:
    """The manner of a run; two C-MOVEs are ``interval_s`` apart at least."""

    parallel: int = PARALLEL  # associations
    retries: int = RETRIES  # of a study, beside the first attempt
    first_back_off_s: float = FIRST_BACK_OFF_S
    patience_s: float = PATIENCE_S  # with an archive that is away
    interval_s: float = 0.0
