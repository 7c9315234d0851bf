"""What is asked of whom, by which a store is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

_KEY_LENGTH = 16


@dataclass(frozen=True)
class Asked:
    """What the answers in a store are answers to: facts by name, in words that a person understands."""

    facts: Mapping[str, str]

    def key(self, source: str) -> str:
        """Return a file name that stands for this question about the studies of *source*."""
        octets = json.dumps([sorted(self.facts.items()), source]).encode()
        return hashlib.sha256(octets).hexdigest()[:_KEY_LENGTH]

    def difference(self, other: Asked) -> tuple[str, ...]:
        """Return in words where *other*, the question of now, asks something else."""
        names = dict.fromkeys((*self.facts, *other.facts))
        return tuple(
            f"{name}: {self.facts.get(name) or 'none'} there, {other.facts.get(name) or 'none'} here"
            for name in names
            if (self.facts.get(name) or "") != (other.facts.get(name) or "")
        )
