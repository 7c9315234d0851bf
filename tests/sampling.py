"""Samples of long tests: ``make test`` runs some of their cases, ``make test-long`` (``DCMCFG_LONG``) all of them."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import TypeVar

#: Whether all cases run.
LONG = bool(os.environ.get("DCMCFG_LONG"))
_SEED = 5351

T = TypeVar("T")


def sample(cases: Sequence[T], share: float) -> list[T]:
    """Return *share* of *cases* (0 to 1), always the same ones, in their order; all with ``DCMCFG_LONG``."""
    if LONG:
        return list(cases)
    chosen = random.Random(_SEED).sample(range(len(cases)), round(len(cases) * share))
    return [cases[number] for number in sorted(chosen)]
