"""A lint rule, and the violation of one by an entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass
from functools import cached_property

from dcmcfg.changes import Change
from dcmcfg.dn import DN
from dcmcfg.lint.context import LintContext
from dcmcfg.schema.findings import CheckRule, EntryFinding, Impact, Part, Severity
from dcmcfg.secret_values import is_secret


@dataclass(frozen=True)
class Violation:
    """An entry that breaks a rule: ``attribute`` with ``value`` in the entry ``dn``, and the ``message`` about it.

    ``fix_command`` has the words after ``dcmcfg`` of the command that fixes this violation, if there is one.
    ``fix_changes`` fix it if no decision is necessary, otherwise they are empty. ``correction_commands`` correct a name
    that is probably a typo: suggest them before ``fix_command``, in this order.
    ``related_dns`` are the other entries that the violation depends on.
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
    """A rule about a combination of settings: the requirement, the reason for it, and the fix of a violation.

    ``requirement`` demands a correct configuration ("Each AE title must belong to only one AE."). ``reason`` is the
    consequence of a violation, ``fix`` the correction, with ``example_command`` as an example.
    ``docs/reference/rules.md`` has all four. ``dcmcfg check`` shows the message of a :class:`Violation`, and ``fix``
    if that has no command.
    """

    name: str
    severity: Severity
    _: KW_ONLY
    requirement: str
    reason: str
    fix: str
    example_command: str
    find_violations: Callable[[LintContext], Iterator[Violation]]
    #: Whether ``--fix`` can fix some violations.
    is_auto_fixable: bool = False
    #: The effect of a violation on the archive.
    impact: Impact = "rule"
    #: The part of ``dcmcfg check`` that the rule belongs to.
    part: Part = "rules"
    #: False if the entry and the entries of its device are enough to decide. Otherwise (True) the rule is checked only
    #: in a whole configuration, because an entry that it looks for may be in another file.
    needs_whole_tree: bool = True
    #: Less specific rules for the same defect; if both find it, only this rule reports it.
    supersedes: tuple[CheckRule, ...] = ()

    def format_message(self, violation: Violation) -> str:
        """Return the message of *violation*; the requirement of the rule if the value is a secret."""
        return self.requirement if violation.has_secret_value else violation.message

    @cached_property
    def check_rule(self) -> CheckRule:
        """The rule as findings name it."""
        return CheckRule(
            self.name,
            self.severity,
            self.requirement,
            self.impact,
            part=self.part,
            fix=self.fix,
            reason=self.reason,
            is_auto_fixable=self.is_auto_fixable,
        )


def build_finding(rule: LintRule, violation: Violation) -> EntryFinding:
    """Return the finding for *violation* of *rule*, without commands that would show a secret value."""
    # Commands would show the secret on the terminal, and leave it in the shell's history.
    is_secret_value = violation.has_secret_value
    return EntryFinding(
        rule.check_rule,
        violation.dn,
        violation.attribute,
        rule.format_message(violation),
        value=violation.value,
        severity=rule.severity,
        fix_command=() if is_secret_value else violation.fix_command,
        fix_changes=violation.fix_changes,
        correction_commands=() if is_secret_value else violation.correction_commands,
    )
