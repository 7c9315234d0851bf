"""Reasons as they gather, by the finding on the route that they speak for."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Findings:
    """Reasons for *shown*, against it (``doubted``, ``disproved``), for *contradicted*, and remarks.

    The external archive's own record outweighs ``doubted``. It does not outweigh ``disproved``, which the archive's
    database shows.
    """

    shown: list[str] = field(default_factory=list)
    doubted: list[str] = field(default_factory=list)
    disproved: list[str] = field(default_factory=list)
    contradicted: list[str] = field(default_factory=list)
    neutral: list[str] = field(default_factory=list)
