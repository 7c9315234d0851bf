"""Find the release that a tree is at, by the signs that the official update files leave in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property

from dcmcfg.changes import Add, Delete, Modify, Operation, Rename
from dcmcfg.dn import NormalDN, is_at_or_below
from dcmcfg.upgrade.names import NameMapping
from dcmcfg.upgrade.release import OfficialRecord, UpdateFile, Version
from dcmcfg.upgrade.trees import UpgradeTree

UI, ARCHIVE = "web interface", "archive device"
#: The number of signs that show that a part is at another release.
_MIN_DIFFERENCE = 3


@dataclass(frozen=True)
class Sign:
    """An entry, or with ``attribute`` a normal value of an attribute, that a record of the release adds or removes."""

    key: NormalDN
    attribute: str = ""
    value: bytes = b""


@dataclass(frozen=True)
class ReleaseMatch:
    """The releases that match a tree best, as a range, with the number of matching signs and of all signs.

    ``scores`` has the number of matching signs for each release.
    """

    first: Version
    last: Version
    matching: int
    total: int
    _: KW_ONLY
    scores: Mapping[Version, int] = field(default_factory=dict, repr=False)

    def differs_from(self, whole: ReleaseMatch) -> bool:
        """Return whether this part of a tree is clearly at another release than the *whole* tree.

        Fewer signs are no proof: the default configuration of a release and its update files differ in single values.
        """
        as_whole = max((score for each, score in self.scores.items() if whole.first <= each <= whole.last), default=0)
        return self.matching - as_whole >= _MIN_DIFFERENCE


class SignIndex:
    """The signs of the records of *files*, with the names that *mapping* gives to the parts.

    The candidates are the versions of the files, and *more_versions*, such as that of a release before all of them.
    """

    def __init__(
        self,
        files: Iterable[UpdateFile],
        mapping: NameMapping,
        tree: UpgradeTree,
        more_versions: Iterable[Version | None] = (),
    ) -> None:
        #: Sign → (version, whether it is there afterwards), in the order of the files.
        self._writers: dict[Sign, list[tuple[Version, bool]]] = defaultdict(list)
        self.versions: list[Version] = [each for each in more_versions if each is not None]
        for file in files:
            if file.version not in self.versions:
                self.versions.append(file.version)
            for record in file.records:
                for sign, is_there in list_signs(record, mapping, tree):
                    self._writers[sign].append((file.version, is_there))

    def adds(self, key: NormalDN) -> bool:
        """Return whether a record adds the entry *key*."""
        return any(is_there for _, is_there in self._writers.get(Sign(key), ()))

    @cached_property
    def _signs_below(self) -> dict[NormalDN, list[Sign]]:
        """The signs at and below each entry: a site may have thousands of devices, most of them without any."""
        found: dict[NormalDN, list[Sign]] = defaultdict(list)
        for sign in self._writers:
            for start in range(len(sign.key)):
                found[sign.key[start:]].append(sign)
        return found

    def find_contradicted(self, default: UpgradeTree, version: Version) -> frozenset[Sign]:
        """Return the signs that *default*, the default of *version* with the names of the site, contradicts.

        The update files of the archive and its default configuration differ in some places. There, a sign does not
        show whether a site has been upgraded.
        """
        return frozenset(
            sign
            for sign, writers in self._writers.items()
            if _can_count(sign, default) and _expect(writers, version) != is_at_site(sign, default)
        )

    def match(
        self,
        site: UpgradeTree,
        below: Sequence[NormalDN] = (),
        excluded: Sequence[NormalDN] = (),
        *,
        ignored: frozenset[Sign] = frozenset(),
    ) -> ReleaseMatch | None:
        """Return the releases that match *site* best, or None without a sign.

        With *below*, only signs at and below one of these entries count, and none at or below *excluded*. A sign counts
        only if its entry, or the parent of a new entry, is at the site, and if it is not in *ignored*.
        """
        signs: Iterable[Sign] = self._writers
        if below:
            signs = dict.fromkeys(sign for key in below for sign in self._signs_below.get(key, ()))
        found = [
            (self._writers[sign], is_at_site(sign, site))
            for sign in signs
            if sign not in ignored
            and _can_count(sign, site)
            and not any(is_at_or_below(sign.key, each) for each in excluded)
        ]
        if not found:
            return None
        scores = {
            version: sum(_expect(writers, version) == is_there for writers, is_there in found)
            for version in self.versions
        }
        best = max(scores.values())
        versions = [version for version, score in scores.items() if score == best]
        return ReleaseMatch(min(versions), max(versions), best, len(found), scores=scores)


def _expect(writers: Sequence[tuple[Version, bool]], version: Version) -> bool:
    """Return whether a sign is there at *version*: the last writer decides, before the first one its opposite."""
    state = None
    for each, is_there in writers:
        if each <= version:
            state = is_there
    return not writers[0][1] if state is None else state


def _can_count(sign: Sign, site: UpgradeTree) -> bool:
    return sign.key in site.entries if sign.attribute else sign.key[1:] in site.entries


def is_at_site(sign: Sign, site: UpgradeTree) -> bool:
    """Return whether *sign* is in the tree *site*."""
    entry = site.entries.get(sign.key)
    if entry is None or not sign.attribute:
        return entry is not None
    return sign.value in site.normalise(sign.attribute, entry.values(sign.attribute))


def list_signs(record: OfficialRecord, mapping: NameMapping, tree: UpgradeTree) -> Iterator[tuple[Sign, bool]]:
    """Yield the signs of *record* with the names of the site, and whether each is there afterwards."""
    change = mapping.map_change(record.change)
    key = tree.key(change.dn)
    match change:
        case Add(entry):
            yield Sign(key), True
            for attribute in entry.attributes:
                for value in attribute.values:
                    yield Sign(key, attribute.name.lower(), tree.schema.normalise_value(attribute.name, value)), True
        case Delete():
            yield Sign(key), False
        case Modify(_, modifications):
            for each in modifications:
                is_there = each.operation is not Operation.DELETE
                for value in each.values:
                    yield Sign(key, each.name.lower(), tree.schema.normalise_value(each.name, value)), is_there
        case Rename():
            yield Sign(key), False
            yield Sign(tree.key(change.new_dn)), True
