"""All rules of ``dcmcfg lint``, in the order in which they are reported and documented."""

from __future__ import annotations

from dcmcfg.lint.rule import LintRule
from dcmcfg.lint.rules import (
    archive_settings,
    capabilities,
    certificates,
    conditions,
    connections,
    exporting,
    external_retrieve,
    fallback,
    listening,
    purging,
    recalling,
    registries,
    titles,
    transport,
    unknown_aes,
    unknown_parts,
)

#: Heading → its rules.
RULES_BY_TOPIC: dict[str, tuple[LintRule, ...]] = {
    "External retrieve": external_retrieve.RULES,
    "What an external archive is asked for": recalling.RULES,
    "AEs that are named": unknown_aes.RULES,
    "Fallback": fallback.RULES,
    "Export": exporting.RULES,
    "Purging": purging.RULES,
    "Parts of the archive that are named": unknown_parts.RULES,
    "Conditions": conditions.RULES,
    "Connections": connections.RULES,
    "Ports of the archive": listening.RULES,
    "Transport": transport.RULES,
    "Capabilities": capabilities.RULES,
    "Names": titles.RULES,
    "Registries": registries.RULES,
    "The archive's settings": archive_settings.RULES,
    "Certificates": certificates.RULES,
}
#: The topics of which no rule can be broken where there is no archive's device.
ARCHIVE_TOPICS = (
    "External retrieve",
    "What an external archive is asked for",
    "Fallback",
    "Export",
    "Purging",
    "Ports of the archive",
    "Transport",
    "Capabilities",
)
RULES: tuple[LintRule, ...] = tuple(rule for rules in RULES_BY_TOPIC.values() for rule in rules)
RULES_BY_NAME = {rule.name: rule for rule in RULES}
