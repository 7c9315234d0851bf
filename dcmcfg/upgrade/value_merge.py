"""The three-way merge of the values of one attribute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dcmcfg.schema.definitions import Schema
from dcmcfg.schema_names import DCM_PROPERTY, OBJECT_CLASS

#: Attributes with values ``key=value`` whose keys are unique.
_KEYED = frozenset({DCM_PROPERTY.lower(), "dcmcoercionparam", "dcmimagereadparam", "dcmimagewriteparam"})
Values = tuple[bytes, ...]


@dataclass(frozen=True)
class Versions:
    """The values of an attribute in base, theirs and at the site."""

    base: Values
    theirs: Values
    site: Values


@dataclass(frozen=True)
class ValueConflict:
    """Values that the site and the release have changed differently; ``key`` is that of ``key=value``, or empty."""

    reason: str
    versions: Versions
    key: bytes = b""


@dataclass(frozen=True)
class ValueMerge:
    """The merged values, None if the site's stay, and the conflicts in which they stay."""

    values: Values | None
    conflicts: tuple[ValueConflict, ...] = ()


def is_keyed(name: str) -> bool:
    """Return whether the attribute *name* has values ``key=value`` with unique keys."""
    lower = name.lower()
    return lower in _KEYED or lower.endswith("templateparam")


def merge_values(schema: Schema, name: str, versions: Versions, taken: frozenset[bytes]) -> ValueMerge:
    """Return the merge of *versions* of the attribute *name*.

    *taken* are the keys of the conflicts in which the release wins: empty for an attribute without keys.
    """

    def normalise(values: Values) -> frozenset[bytes]:
        return frozenset(schema.normalise_value(name, each) for each in values)

    a, b, s = map(normalise, (versions.base, versions.theirs, versions.site))
    if b in (a, s):
        return ValueMerge(None)
    if s == a:
        return ValueMerge(versions.theirs)
    if name.lower() == OBJECT_CLASS.lower():
        return ValueMerge(combine_values(schema, name, versions))
    definition = schema.attribute(name)
    if is_keyed(name) and not (definition is not None and definition.single_valued):
        return _merge_keyed(versions, taken)
    reason = ""
    if definition is not None and definition.single_valued:
        reason = "the site and the release have changed the value"
    elif not s and a:
        reason = "the site has removed the attribute"
    elif a and not (a & s) and b - a:
        reason = "the site has only other values"
    if not reason:
        return ValueMerge(combine_values(schema, name, versions))
    return ValueMerge(versions.theirs) if b"" in taken else ValueMerge(None, (ValueConflict(reason, versions),))


def combine_values(schema: Schema, name: str, versions: Versions) -> Values | None:
    """Return the site's values without those that the release removes, and with those that it adds; None if equal."""

    def normalise(values: Values) -> frozenset[bytes]:
        return frozenset(schema.normalise_value(name, each) for each in values)

    a, b, s = map(normalise, (versions.base, versions.theirs, versions.site))
    kept = [each for each in versions.site if schema.normalise_value(name, each) not in a - b]
    new = [each for each in versions.theirs if schema.normalise_value(name, each) in b - a - s]
    merged = (*kept, *new)
    return None if merged == versions.site else merged


def _merge_keyed(versions: Versions, taken: frozenset[bytes]) -> ValueMerge:
    a, b, s = (_group_by_key(each) for each in (versions.base, versions.theirs, versions.site))
    merged, conflicts = dict(s), []
    for key in dict.fromkeys((*a, *b)):
        old, new, own = (each.get(key, ()) for each in (a, b, s))
        if set(new) in (set(old), set(own)):
            continue
        if set(own) != set(old) and key not in taken:
            reason = f"the site and the release have changed {key.decode(errors='replace')}"
            conflicts.append(ValueConflict(reason, Versions(old, new, own), key))
        else:
            merged[key] = new
    result = tuple(_flatten(merged.values()))
    return ValueMerge(None if set(result) == set(versions.site) else result, tuple(conflicts))


def _flatten(groups: Iterable[Values]) -> Iterator[bytes]:
    for each in groups:
        yield from each


def _group_by_key(values: Iterable[bytes]) -> dict[bytes, Values]:
    """Return *values* by their keys: as a rule one for each."""
    found: dict[bytes, Values] = {}
    for value in values:
        key = value.partition(b"=")[0]
        found[key] = (*found.get(key, ()), value)
    return found
