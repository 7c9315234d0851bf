"""Find what update files that were run as shipped have written with names that the site does not use.

A record with the title DCM4CHEE also applies at a site that has renamed this AE, if its own entry has no other name.
Then its value refers to nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from dcmcfg.changes import Add, Change, Modify, Operation, Rename
from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.references.rewriting import find_names
from dcmcfg.schema_names import (
    DICOM_AE_TITLE,
    DICOM_DEVICE_NAME,
    DICOM_DEVICE_OBJECT_CLASS,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    DICOM_UNIQUE_AE_TITLE_OBJECT_CLASS,
    OTHER_AE_TITLE,
    UNIQUE_WEB_APP_NAME_OBJECT_CLASS,
    WEB_APP_NAME,
    WEB_APP_OBJECT_CLASS,
)
from dcmcfg.upgrade.names import NameMapping, is_marked_removed
from dcmcfg.upgrade.release import UpdateFile, Version
from dcmcfg.upgrade.trees import UpgradeTree

#: Value with the name as shipped → value with the name at the site, of an attribute in lower case.
_Replacements = dict[str, dict[bytes, bytes]]


@dataclass(frozen=True, kw_only=True)
class ShippedNames:
    """What update files have written at a site with names as shipped.

    ``values`` are values that refer to nothing: entry → attribute in lower case → value → value with the site's names.
    ``ambiguous`` are values of the same kind that refer to another part of the site. ``entries`` are entries that
    should have another name: entry → key with the site's names. ``places`` are the records that have written them.
    """

    mapping: NameMapping | None = None
    values: Mapping[NormalDN, _Replacements] = field(default_factory=dict)
    ambiguous: Mapping[NormalDN, _Replacements] = field(default_factory=dict)
    entries: Mapping[NormalDN, NormalDN] = field(default_factory=dict)
    places: Mapping[NormalDN, tuple[str, ...]] = field(default_factory=dict)

    def repair(self, site: UpgradeTree) -> UpgradeTree:
        """Return *site* as if the update files had written the names of the site."""
        if not (self.values or self.entries):
            return site
        repaired = site.copy()
        for key in self.values:
            repaired.entries[key] = self.repair_entry(key, site.entries[key])
        for key, target in self.entries.items():
            entry = repaired.entries.pop(key)
            if self.mapping is not None and target not in site.entries:
                repaired.put(self.mapping.map_entry(entry))
        return repaired

    def repair_entry(self, key: NormalDN, entry: Entry) -> Entry:
        """Return *entry* with the site's names in the values that refer to nothing."""
        for name, replacements in self.values.get(key, {}).items():
            entry = _replace_values(entry, name, replacements)
        return entry

    def restore(self, base: UpgradeTree, repaired: UpgradeTree, site: UpgradeTree) -> UpgradeTree:
        """Return *base*, which was found for the *repaired* site, for *site* itself.

        The base has what was written as shipped, so the merge replaces these values, and deletes these entries.
        """
        result = base.copy()
        for key, attributes in self.values.items():
            if key in base.entries:
                for name, replacements in attributes.items():
                    result.entries[key] = self._restore_values(result.entries[key], name, replacements, site)
        for key, target in self.entries.items():
            known = result.entries.get(target)
            if target not in site.entries:
                # The release adds the entry with the right name.
                result.entries.pop(target, None)
            result.entries[key] = self._restore_entry(site.entries[key], known, repaired.entries.get(target))
        return result

    def add_places(self, places: Mapping[NormalDN, tuple[str, ...]]) -> dict[NormalDN, tuple[str, ...]]:
        """Return *places*, the records that write an entry, with those of these values and entries."""
        keys = (*places, *self.places)
        return {
            key: tuple(dict.fromkeys((*places.get(key, ()), *self.places.get(key, ())))) for key in dict.fromkeys(keys)
        }

    def _restore_values(self, entry: Entry, name: str, replacements: Mapping[bytes, bytes], site: UpgradeTree) -> Entry:
        own = site.normalise(name, site.entries[site.key(entry.dn)].values(name))
        definition = site.schema.attribute(name)
        is_single = definition is not None and definition.single_valued
        values = list(entry.values(name))
        for shipped, wanted in replacements.items():
            normal = site.schema.normalise_value(name, wanted)
            if is_single:
                values = [shipped]
            else:
                if normal not in own:
                    values = [each for each in values if site.schema.normalise_value(name, each) != normal]
                values.append(shipped)
        return entry.with_values(name, values)

    def _restore_entry(self, own: Entry, known: Entry | None, repaired: Entry | None) -> Entry:
        """Return the base of the entry *own*: itself, without the values that the site has added."""
        if known is None or repaired is None or self.mapping is None:
            return own
        official = {each.name.lower(): set(each.values) for each in known.attributes}
        mapped = self.mapping.map_entry(own)
        for each in own.attributes:
            values = zip(each.values, mapped.values(each.name), strict=True)
            kept = [value for value, wanted in values if wanted in official.get(each.name.lower(), ())]
            own = own.with_values(each.name, kept)
        return own


NOTHING_SHIPPED = ShippedNames()


def find_shipped_names(
    site: UpgradeTree, files: Sequence[UpdateFile], mapping: NameMapping, installed: Version | None
) -> ShippedNames:
    """Return what *files* have written at *site* with other names than *mapping* gives to the parts of the default.

    *installed* is the release that the site was set up with: values that are ambiguous come from later files only,
    because the default itself has the other ones.
    """
    if not (mapping.devices or mapping.titles or mapping.web_apps):
        return NOTHING_SHIPPED
    search = _Search(site, mapping)
    for file in files:
        is_later = installed is None or file.version > installed
        for record in file.records:
            search.add(record.change, record.place, is_later=is_later)
    return search.build()


class _Search:
    """Searches a site for values and entries with names as shipped."""

    def __init__(self, site: UpgradeTree, mapping: NameMapping) -> None:
        self._site, self._mapping = site, mapping
        #: As shipped, but with the base DN of the site, without which no record applies.
        self._shipped = replace(mapping, devices={}, titles={}, web_apps={})
        self._values: dict[NormalDN, _Replacements] = defaultdict(lambda: defaultdict(dict))
        self._ambiguous: dict[NormalDN, _Replacements] = defaultdict(lambda: defaultdict(dict))
        self._entries: dict[NormalDN, NormalDN] = {}
        self._places: dict[NormalDN, list[str]] = defaultdict(list)

    def add(self, change: Change, place: str, *, is_later: bool) -> None:
        """Search for what the record *change* at *place* has written."""
        shipped = self._shipped.map_change(change)
        key = self._site.key(_get_final_dn(shipped))
        own = self._site.entries.get(key)
        if own is None:
            return
        wanted = self._mapping.map_change(change)
        target = self._site.key(_get_final_dn(wanted))
        if target != key:
            is_removed = is_marked_removed(str(_get_final_dn(wanted)).encode())
            if isinstance(shipped, Add | Rename) and self._is_left_over(own) and not is_removed:
                self._entries[key] = target
                self._places[key].append(place)
                self._places[target].append(place)
            return
        for name, one, other in _iterate_renamed(shipped, wanted):
            known = {self._site.schema.normalise_value(name, each): each for each in own.values(name)}
            found = known.get(self._site.schema.normalise_value(name, one))
            if found is None or is_marked_removed(other):
                continue
            if self._refers_to_nothing(name, one, other):
                self._values[key][name.lower()][found] = other
                self._places[key].append(place)
            elif is_later and self._site.schema.normalise_value(name, other) not in known:
                self._ambiguous[key][name.lower()][found] = other

    def build(self) -> ShippedNames:
        return ShippedNames(
            mapping=replace(self._mapping, old_base=self._mapping.new_base),
            values=self._values,
            ambiguous=self._ambiguous,
            entries=self._entries,
            places={key: tuple(each) for key, each in self._places.items()},
        )

    def _is_left_over(self, entry: Entry) -> bool:
        """Return whether the web application or registration *entry* is one of an AE or application of no name here."""
        if entry.is_a(WEB_APP_OBJECT_CLASS):
            return not set(entry.texts(DICOM_AE_TITLE)) <= self._used[EntityKind.AE]
        if entry.is_a(DICOM_UNIQUE_AE_TITLE_OBJECT_CLASS):
            return not set(entry.texts(DICOM_AE_TITLE)) <= self._used[EntityKind.AE]
        if entry.is_a(UNIQUE_WEB_APP_NAME_OBJECT_CLASS):
            return not set(entry.texts(WEB_APP_NAME)) <= self._used[EntityKind.WEB_APP]
        return False

    def _refers_to_nothing(self, name: str, shipped: bytes, wanted: bytes) -> bool:
        definition = self._site.schema.attribute(name)
        if definition is not None and definition.syntax == "DN":
            return _parse_key(self._site, shipped) not in self._site.entries
        kept = {(each.kind, each.text) for each in find_names(name, wanted)}
        return not any(
            _fold(each.kind, each.text) in self._used.get(each.kind, frozenset())
            for each in find_names(name, shipped)
            if (each.kind, each.text) not in kept
        )

    @cached_property
    def _used(self) -> dict[EntityKind, frozenset[str]]:
        """The names of the AEs, devices and web applications of the site, in all devices."""
        titles, devices, web_apps = set[str](), set[str](), set[str]()
        for entry in self._site.entries.values():
            if entry.is_a(DICOM_NETWORK_AE_OBJECT_CLASS):
                titles.update(entry.texts(DICOM_AE_TITLE), entry.texts(OTHER_AE_TITLE))
            elif entry.is_a(DICOM_DEVICE_OBJECT_CLASS):
                devices.update(each.lower() for each in entry.texts(DICOM_DEVICE_NAME))
            elif entry.is_a(WEB_APP_OBJECT_CLASS) and self._serves_known_ae(entry):
                web_apps.update(entry.texts(WEB_APP_NAME))
        return {
            EntityKind.AE: frozenset(titles),
            EntityKind.DEVICE: frozenset(devices),
            EntityKind.WEB_APP: frozenset(web_apps),
        }

    def _serves_known_ae(self, web_app: Entry) -> bool:
        """Return whether *web_app* serves only AEs of the site: otherwise, a file run as shipped has left it over."""
        return all(
            any(title in each.texts(DICOM_AE_TITLE) for each in self._aes) for title in web_app.texts(DICOM_AE_TITLE)
        )

    @cached_property
    def _aes(self) -> tuple[Entry, ...]:
        return tuple(each for each in self._site.entries.values() if each.is_a(DICOM_NETWORK_AE_OBJECT_CLASS))


def _get_final_dn(change: Change) -> DN:
    return change.new_dn if isinstance(change, Rename) else change.dn


def _iterate_renamed(shipped: Change, wanted: Change) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield attribute, value as shipped and value with the site's names, of the values that differ."""
    for one, other in zip(_list_written(shipped), _list_written(wanted), strict=True):
        for value, renamed in zip(one.values, other.values, strict=True):
            if value != renamed:
                yield one.name, value, renamed


def _list_written(change: Change) -> Sequence[Attribute]:
    match change:
        case Add(entry):
            return entry.attributes
        case Modify(_, modifications):
            return [
                Attribute(each.name, each.values) for each in modifications if each.operation is not Operation.DELETE
            ]
    return ()


def _replace_values(entry: Entry, name: str, replacements: Mapping[bytes, bytes]) -> Entry:
    values: Iterable[bytes] = (replacements.get(each, each) for each in entry.values(name))
    return entry.with_values(name, tuple(dict.fromkeys(values)))


def _parse_key(tree: UpgradeTree, value: bytes) -> NormalDN | None:
    try:
        return tree.key(DN.parse(value.decode("utf-8", "surrogateescape")))
    except MalformedInput:
        return None


def _fold(kind: EntityKind, name: str) -> str:
    return name.lower() if kind is EntityKind.DEVICE else name
