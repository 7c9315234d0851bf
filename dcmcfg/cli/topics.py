"""The help topics by name, each with its line in ``dcmcfg help topics``.

Kept apart: the texts of the topics (:mod:`dcmcfg.cli.help_pages.topics`) are loaded only to print one.
"""

from __future__ import annotations

SITE_OPTIONS = "site-options"
SAFETY_OVERRIDES = "safety-overrides"
LIMITS = "limits"
NODES = "nodes"
TOPIC_LIST = "topics"

#: Topic → its line, in the order of ``dcmcfg --help``, which lists only the names.
TOPICS = {
    SITE_OPTIONS: "Directory server, archive and credentials.",
    SAFETY_OVERRIDES: "Options that accept a risk (--force-…).",
    NODES: "Nodes, replicas and confirmed reloads (--node).",
    LIMITS: "Limits for data from other systems (--max).",
    "targets": "Forms of the argument TARGET.",
    "environment": "Environment variables.",
    "exit-codes": "Exit codes of all commands.",
    "secrets": "Sources of passwords, tokens and client secrets.",
    "secured": "Access to an archive that requires tokens (OpenID Connect).",
    "another-base": "Move a configuration to another base DN.",
    "import-files": "Columns, roles and formats of the files of 'dcmcfg import'.",
    "studies": "Lists and queries of studies for 'dcmcfg verify'.",
    "containers": "Environment variables of the archive's container images.",
    "monitoring": "States, limits and metrics of 'dcmcfg monitor'.",
    "json": "JSON output, and its schemas (--json).",
    TOPIC_LIST: "All help topics.",
}
