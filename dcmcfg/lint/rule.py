"""A lint rule, and what it says of an entry that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dcmcfg.changes import Change
from dcmcfg.dn import DN
from dcmcfg.lint.context import Survey
from dcmcfg.schema.findings import Finding, Kind, Rule, Severity
from dcmcfg.secret_values import is_secret


@dataclass(frozen=True)
class Breach:
    """Where a rule is broken.

    ``command`` is what mends just this one, as the words after ``dcmcfg``, where that can be told; ``changes`` mend
    it with nothing to decide (none: somebody has to). ``correction`` is tried before ``command`` where a name is
    probably misspelt: commands, in their order, that put another in its place. ``related`` are the other entries that
    the breach depends on.
    """

    dn: DN
    message: str
    attribute: str = ""
    value: bytes | None = None
    command: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    correction: tuple[tuple[str, ...], ...] = ()
    related: tuple[DN, ...] = ()

    @property
    def is_of_a_secret(self) -> bool:
        """Whether the value must not be told, nor what was said of it."""
        return self.value is not None and is_secret(self.attribute, self.value)


@dataclass(frozen=True)
class LintRule:
    """A rule: what it asks for, why (what the archive does otherwise), what mends a breach and by which command."""

    name: str
    severity: Severity
    asks: str
    reason: str
    fix: str
    command: str
    find: Callable[[Survey], Iterator[Breach]]
    #: Whether some breach of it can be mended mechanically, by ``--fix``.
    mends: bool = False
    #: What a breach does to the archive.
    kind: Kind = "rule"

    def told(self, breach: Breach) -> str:
        """Return what may be told of a *breach*: its message, or of a secret what the rule asks for."""
        return self.asks if breach.is_of_a_secret else breach.message


def as_rule(rule: LintRule) -> Rule:
    """Return *rule* as findings name it."""
    return Rule(rule.name, rule.severity, rule.asks, rule.kind)


def finding_of(rule: LintRule, breach: Breach) -> Finding:
    """Return the finding that *breach* of *rule* is, without the value's secret."""
    return Finding(as_rule(rule), breach.dn, breach.attribute, rule.told(breach), breach.value, rule.severity)
