"""What is wrong with the values that an entry gets, by the rules of ``dcmcfg check``."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.entry import Attribute, Entry
from dcmcfg.schema.findings import Finding
from dcmcfg.schema.values import ValueRules
from dcmcfg.secret_values import LONGEST_TOLD, is_secret, told


def new_value_findings(rules: ValueRules, before: Entry | None, after: Entry) -> Iterator[Finding]:
    """Yield what *rules* say of the values that *after* holds and *before* does not (None: all)."""
    for attribute in _added(before, after):
        yield from rules.findings(after, attribute.name, attribute.values)


def in_words(finding: Finding, *, most: int = LONGEST_TOLD) -> str:
    """Return *finding* as a phrase: attribute, value if there is one and it is no secret, and the message.

    Of a value longer than *most* characters the beginning is shown.
    """
    if finding.value is None:
        return f"{finding.attribute}: {finding.message}" if finding.attribute else finding.message
    value = finding.value
    shown = "(secret)" if is_secret(finding.attribute, value) else told(finding.attribute, value, most)
    return f"{finding.attribute} {shown}: {finding.message}"


def _added(before: Entry | None, after: Entry) -> Iterator[Attribute]:
    if before is None:
        yield from after.attributes
        return
    shared = set(map(id, before.attributes))
    for attribute in after.attributes:
        if id(attribute) not in shared:
            held = frozenset(before.values(attribute.name))
            yield Attribute(attribute.name, tuple(value for value in attribute.values if value not in held))
