"""Reasons as they gather, by the finding on the route that they speak for."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Findings:
    """What speaks for *shown*, what against it, what for *contradicted*, and what is only told."""

    shown: list[str] = field(default_factory=list)
    doubted: list[str] = field(default_factory=list)
    contradicted: list[str] = field(default_factory=list)
    neutral: list[str] = field(default_factory=list)
