"""All rules of ``dcmcfg check``, in the order in which they are documented."""

from __future__ import annotations

from dcmcfg.environment.rules import RULES as ENVIRONMENT_RULES
from dcmcfg.lint.archive_view.rules import RULES as ARCHIVE_VIEW_RULES
from dcmcfg.lint.rule import LintRule
from dcmcfg.lint.rules import (
    archive_ports,
    archive_settings,
    capabilities,
    certificates,
    conditions,
    connections,
    exporting,
    external_retrieve,
    fallback,
    purging,
    recalling,
    registries,
    titles,
    transport,
    unknown_aes,
    unknown_parts,
)
from dcmcfg.schema.findings import RULES as SCHEMA_RULES
from dcmcfg.schema.findings import CheckRule

#: Heading → its rules.
RULES_BY_TOPIC: dict[str, tuple[LintRule, ...]] = {
    "External retrieve": external_retrieve.RULES,
    "Recall from external archives": recalling.RULES,
    "Unknown AEs": unknown_aes.RULES,
    "Fallback": fallback.RULES,
    "Export": exporting.RULES,
    "Purging": purging.RULES,
    "Missing parts of the archive": unknown_parts.RULES,
    "Conditions": conditions.RULES,
    "Connections": connections.RULES,
    "Ports of the archive": archive_ports.RULES,
    "Transport": transport.RULES,
    "Capabilities": capabilities.RULES,
    "Duplicate and unsafe names": titles.RULES,
    "Registries": registries.RULES,
    "Archive settings": archive_settings.RULES,
    "Certificates": certificates.RULES,
}
#: The topics whose rules cannot be violated without an archive device.
ARCHIVE_TOPICS = (
    "External retrieve",
    "Recall from external archives",
    "Fallback",
    "Export",
    "Purging",
    "Ports of the archive",
    "Transport",
    "Capabilities",
)
#: All rules about combinations of settings, in the order of their topics.
RULES: tuple[LintRule, ...] = tuple(rule for rules in RULES_BY_TOPIC.values() for rule in rules)
#: Name → rule.
RULES_BY_NAME = {rule.name: rule for rule in RULES}
#: Heading → rules of the parts that compare the tree with other input; they are checked only on request.
COMPARISON_RULES_BY_TOPIC: dict[str, tuple[CheckRule, ...]] = {
    "The archive's view": ARCHIVE_VIEW_RULES,
    "Environment of the containers": ENVIRONMENT_RULES,
}
#: The rules of all parts: those for entries and values, then :data:`RULES`, then :data:`COMPARISON_RULES_BY_TOPIC`.
CHECK_RULES: tuple[CheckRule, ...] = (
    *SCHEMA_RULES,
    *(rule.check_rule for rule in RULES),
    *(rule for rules in COMPARISON_RULES_BY_TOPIC.values() for rule in rules),
)
#: Name → rule of any part.
CHECK_RULES_BY_NAME = {rule.name: rule for rule in CHECK_RULES}
