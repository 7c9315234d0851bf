"""Reasons as they gather, by the finding on the route that they speak for."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(kw_only=True)
class RouteReasons:
    """Reasons for *shown*, against it (``weak_objections``, ``strong_objections``), for *contradicted*, and remarks.

    The external archive's own record outweighs ``weak_objections``. It does not outweigh ``strong_objections``, which
    the archive's database shows.
    """

    supporting: list[str] = field(default_factory=list)
    weak_objections: list[str] = field(default_factory=list)
    strong_objections: list[str] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
