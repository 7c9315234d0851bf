"""A lint rule, and what it says of an entry that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass

from dcmcfg.changes import Change
from dcmcfg.dn import DN
from dcmcfg.lint.context import LintContext
from dcmcfg.schema.findings import CheckRule, EntryFinding, Impact, Severity
from dcmcfg.secret_values import is_secret


@dataclass(frozen=True)
class Violation:
    """Where a rule is broken.

    ``fix_command`` is what fixes just this one, as the words after ``dcmcfg``, if there is one; ``fix_changes``
    fix it with nothing to decide (none: somebody has to). ``correction_commands`` is tried before ``fix_command``
    where a name is probably misspelt: commands, in their order, that put another in its place. ``related_dns`` are the
    other entries that the breach depends on.
    """

    dn: DN
    message: str
    attribute: str = ""
    value: bytes | None = None
    _: KW_ONLY
    fix_command: tuple[str, ...] = ()
    fix_changes: tuple[Change, ...] = ()
    correction_commands: tuple[tuple[str, ...], ...] = ()
    related_dns: tuple[DN, ...] = ()

    @property
    def has_secret_value(self) -> bool:
        """Whether the value must not be shown, nor the message about it."""
        return self.value is not None and is_secret(self.attribute, self.value)


@dataclass(frozen=True)
class LintRule:
    """A rule: what it asks for, why (what the archive does otherwise), the fix of a breach and its command."""

    name: str
    severity: Severity
    _: KW_ONLY
    requirement: str
    reason: str
    fix: str
    fix_command: str
    find_violations: Callable[[LintContext], Iterator[Violation]]
    #: Whether some breach of it can be fixed automatically, by ``--fix``.
    is_auto_fixable: bool = False
    #: What a breach does to the archive.
    impact: Impact = "rule"

    def format_message(self, violation: Violation) -> str:
        """Return what may be shown of a *violation*: its message, or of a secret what the rule asks for."""
        return self.requirement if violation.has_secret_value else violation.message


def to_check_rule(rule: LintRule) -> CheckRule:
    """Return *rule* as findings name it."""
    return CheckRule(rule.name, rule.severity, rule.requirement, rule.impact)


def build_finding(rule: LintRule, violation: Violation) -> EntryFinding:
    """Return the finding that *violation* of *rule* is, without the value's secret."""
    return EntryFinding(
        to_check_rule(rule),
        violation.dn,
        violation.attribute,
        rule.format_message(violation),
        value=violation.value,
        severity=rule.severity,
    )
