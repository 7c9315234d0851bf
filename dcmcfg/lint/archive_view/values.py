"""Compare the values of an attribute in LDAP with the values that the archive's JSON shows.

Values are the same if the equality rule of the attribute finds them equal, or if the archive reads both in the same
way: numbers with leading zeros, tags in lower case, values with the ordinal prefix of an ordered attribute, codes with
other blanks, schedules without one of their parts, and periods in weeks. A DN is shown as itself, as a pointer to an
object of the document, or by the name in its RDN.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from dcmcfg.dn import DN, NormalDN
from dcmcfg.errors import MalformedInput
from dcmcfg.schema.definitions import Schema

_DN_SYNTAX_RULE = "distinguishedNameMatch"
#: The prefix with which the archive keeps the order of values (LdapUtils).
_ORDINAL = re.compile(r"\{[0-9]+\}")
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_NUMBER = re.compile(r"-?[0-9]{1,18}")
#: A schedule, whose parts are ``*`` by default (ScheduleExpression); the schema may fold its case.
_SCHEDULE = re.compile(r"(?:(?:hour|dayofweek)=[0-9,*-]+(?: |\Z)){1,2}", re.IGNORECASE)
#: A period, of which Java shows weeks as days (java.time.Period).
_PERIOD = re.compile(r"P((?:[0-9]+Y)?(?:[0-9]+M)?)([0-9]{1,6})W(?:([0-9]{1,6})D)?", re.IGNORECASE)
_BLANKS_AFTER_COMMA = re.compile(r",\s+")
_POINTER_START = "/"


@dataclass(frozen=True)
class ValueDifference:
    """The values that only LDAP has (``lost``), and those that only the JSON has (``added``), in their order."""

    lost: tuple[bytes, ...]
    added: tuple[str, ...]


@dataclass(frozen=True)
class ValueComparer:
    """Compares values by *schema*; ``dns_by_pointer`` has the entry of each object of the document."""

    schema: Schema
    dns_by_pointer: Mapping[str, DN]

    def compare(self, attribute: str, values: tuple[bytes, ...], shown: tuple[str, ...]) -> ValueDifference:
        """Return the difference between *values* in LDAP and the *shown* values of *attribute*."""
        if self.is_reference(attribute):
            return self._compare_references(values, shown)
        shown_keys = Counter(self._make_key(attribute, each.encode()) for each in shown)
        lost = []
        for value in values:
            key = self._make_key(attribute, value)
            if shown_keys[key]:
                shown_keys[key] -= 1
            else:
                lost.append(value)
        added = []
        for text in reversed(shown):
            key = self._make_key(attribute, text.encode())
            if shown_keys[key]:
                shown_keys[key] -= 1
                added.append(text)
        return ValueDifference(tuple(lost), tuple(reversed(added)))

    def is_same(self, attribute: str, values: tuple[bytes, ...], shown: tuple[str, ...]) -> bool:
        """Return whether there is no difference."""
        return self.compare(attribute, values, shown) == ValueDifference((), ())

    def is_reference(self, attribute: str) -> bool:
        """Return whether the values of *attribute* are DNs."""
        known = self.schema.attribute(attribute)
        return known is not None and known.equality_rule == _DN_SYNTAX_RULE

    def _make_key(self, attribute: str, value: bytes) -> str:
        normal = self.schema.normalise_value(attribute, value).decode("utf-8", "backslashreplace")
        text = _ORDINAL.sub("", normal, count=1) if _ORDINAL.match(normal) else normal
        if _TAG.fullmatch(text):
            return text.upper()
        if _NUMBER.fullmatch(text):
            return str(int(text))
        if _SCHEDULE.fullmatch(text):
            parts = dict(part.split("=") for part in text.lower().split())
            return f"hour={parts.get('hour', '*')} dayofweek={parts.get('dayofweek', '*')}"
        if (period := _PERIOD.fullmatch(text)) is not None:
            return f"P{period[1]}{7 * int(period[2]) + int(period[3] or 0)}D"
        return _BLANKS_AFTER_COMMA.sub(",", text)

    def _compare_references(self, values: tuple[bytes, ...], shown: tuple[str, ...]) -> ValueDifference:
        remaining = list(shown)
        lost = []
        for value in values:
            found = next((each for each in remaining if self._refers_to(each, value)), None)
            if found is None:
                lost.append(value)
            else:
                remaining.remove(found)
        return ValueDifference(tuple(lost), tuple(map(self._resolve_text, remaining)))

    def _refers_to(self, shown: str, value: bytes) -> bool:
        """Return whether *shown* stands for the DN *value*."""
        text = value.decode("utf-8", "surrogateescape")
        if shown.startswith(_POINTER_START):
            target = self.dns_by_pointer.get(shown)
            return target is not None and self.schema.normalise_dn(target) == self._parse(text)
        if self._parse(shown) is not None and self._parse(shown) == self._parse(text):
            return True
        return any(name.casefold() == shown.casefold() for name in _get_rdn_values(text))

    def _resolve_text(self, shown: str) -> str:
        target = self.dns_by_pointer.get(shown)
        return shown if target is None else str(target)

    def _parse(self, text: str) -> NormalDN | None:
        try:
            return self.schema.normalise_dn(DN.parse(text))
        except MalformedInput:
            return None


def _get_rdn_values(text: str) -> tuple[str, ...]:
    try:
        dn = DN.parse(text)
    except MalformedInput:
        return ()
    return tuple(value for _, value in dn.rdns[0].parts) if dn.rdns else ()
