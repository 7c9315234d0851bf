"""The help topics by name, each with its line in ``dcmcfg --help``.

Kept apart: the texts of the topics (:mod:`dcmcfg.cli.help_pages.topics`) are loaded only to print one.
"""

from __future__ import annotations

SITE_OPTIONS = "site-options"
SAFETY_OVERRIDES = "safety-overrides"
LIMITS = "limits"
NODES = "nodes"

#: Topic → its line, in the order of ``dcmcfg --help``.
TOPICS = {
    SITE_OPTIONS: "Directory server, archive and credentials.",
    SAFETY_OVERRIDES: "Options that accept a risk (--force-…).",
    NODES: "Nodes, replicas and confirmed reloads (--node).",
    LIMITS: "Limits for data from other systems (--max).",
    "targets": "Forms of the argument TARGET.",
    "environment": "Environment variables.",
    "exit-codes": "Exit codes of all commands.",
}
