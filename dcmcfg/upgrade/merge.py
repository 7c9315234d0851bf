"""The three-way merge of a site's tree with the changes of a release.

Base is what the site once was, theirs what the release makes of it, and the site what it is now. A change of the
release is made where the site has not changed the same thing; otherwise the site's state stays, as a decision.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property

from dcmcfg.dn import DN, NormalDN, is_at_or_below
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.model.references.index import Reference, References
from dcmcfg.model.references.kinds import NameUse
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import ATTRIBUTE_NOT_ALLOWED, MISSING_ATTRIBUTE
from dcmcfg.schema.structure import StructureChecker, find_structural_classes
from dcmcfg.schema_names import (
    DCM_URI,
    DICOM_AE_TITLE,
    DICOM_DESCRIPTION,
    DICOM_HOSTNAME,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    DICOM_PORT,
    DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS,
    DICOM_UNIQUE_AE_TITLE_OBJECT_CLASS,
    OTHER_AE_TITLE,
    STORAGE_OBJECT_CLASS,
    UNIQUE_WEB_APP_NAME_OBJECT_CLASS,
    WEB_APP_NAME,
    WEB_APP_OBJECT_CLASS,
)
from dcmcfg.upgrade.capability_names import get_capability_id
from dcmcfg.upgrade.merge_result import IGNORED, Decision, Dropped, MergeResult, Place, Stage
from dcmcfg.upgrade.names import is_marked_removed
from dcmcfg.upgrade.own_parts import NO_OWN_PARTS, OwnParts
from dcmcfg.upgrade.shipped_names import NOTHING_SHIPPED, ShippedNames
from dcmcfg.upgrade.trees import UpgradeTree
from dcmcfg.upgrade.value_merge import ValueConflict, Values, Versions, combine_values, merge_values

#: Attributes whose value at the site is right, whatever the release says: names of hosts, ports, texts for people.
_OWN_BY_NATURE = frozenset({DICOM_HOSTNAME.lower(), DICOM_PORT.lower(), DICOM_DESCRIPTION.lower()})


class Merge:
    """Merges the changes from *base* to *theirs* into *site*; all trees have the site's names.

    In the places *taken*, the release wins. *original* is the default that the site was installed with; without it,
    the base. Nothing is merged at and below the entries *blocked*. *roles* are the titles of the default by those at
    the site, for messages. *own* are the site's own parts with the names of parts that the release brings, *shipped*
    is what update files have written with other names.
    """

    def __init__(
        self,
        base: UpgradeTree,
        theirs: UpgradeTree,
        site: UpgradeTree,
        stage: Stage,
        *,
        archive_key: NormalDN,
        taken: frozenset[Place] = frozenset(),
        original: UpgradeTree | None = None,
        blocked: frozenset[NormalDN] = frozenset(),
        roles: Mapping[str, str] | None = None,
        own: OwnParts = NO_OWN_PARTS,
        shipped: ShippedNames = NOTHING_SHIPPED,
    ) -> None:
        self._base, self._theirs, self._site = base, theirs, site
        self._schema: Schema = site.schema
        self._stage = stage
        self._archive_key = archive_key
        #: The decisions in which the user wants what the release has.
        self._taken = taken
        self._original = original
        self._roles = roles or {}
        self._structures = StructureChecker(site.schema)
        self._result = MergeResult(tree=site.copy())
        self._blocked = set(blocked)
        self._own = own
        self._shipped = shipped

    def run(self) -> MergeResult:
        """Return the result."""
        added = []
        for key, theirs in self._theirs.iterate_parents_first():
            base, site = self._base.entries.get(key), self._site.entries.get(key)
            if site is not None and (self._is_blocked(key) or self._meet_own_part(key, site)):
                continue
            if base is None and site is None:
                added.append((key, theirs))
            elif base is None and site is not None:
                self._meet_own_entry(key, theirs, site)
            elif base is not None and site is not None:
                self._result.tree.entries[key] = self._merge_entry(key, base, theirs)
            elif base is not None and not self._are_equal(base, theirs):
                self._result.dropped.append(Dropped(theirs.dn, "the site has removed the entry"))
        for key, theirs in sorted(added, key=lambda item: (_get_rank(item[1]), len(item[0]))):
            self._add(key, theirs)
        self._delete_removed()
        self._result.blocked = frozenset(self._blocked)
        return self._result

    def _is_blocked(self, key: NormalDN) -> bool:
        return any(is_at_or_below(key, each) for each in self._blocked)

    def _meet_own_part(self, key: NormalDN, site: Entry) -> bool:
        """Return whether *site* is a part of the site's own with the name of an official one, which is a decision."""
        if key not in self._own.keys or Place(key) in self._taken:
            return False
        if site.is_a(DICOM_NETWORK_AE_OBJECT_CLASS):
            title = site.text(DICOM_AE_TITLE) or ""
            role = self._roles.get(title, title)
            reason = (
                f"the site has its own AE with this title. To give the new AE another title: --role {role}=TITLE. If "
                f"both are the same AE: --role {role}={title}"
            )
        else:
            reason = "the site has its own web application with this name"
        self._decide(site.dn, reason)
        self._blocked.add(key)
        return True

    def _merge_entry(self, key: NormalDN, base: Entry, theirs: Entry) -> Entry:
        site = merged = self._site.entries[key]
        original = base if self._original is None else self._original.entries.get(key)
        decisions = []
        names = {each.name.lower(): each.name for entry in (base, theirs, site) for each in entry.attributes}
        for lower, name in names.items():
            if lower in IGNORED:
                continue
            kept = self._leave_out_removed(site.dn, name, theirs.values(name), (base, original))
            versions = Versions(base.values(name), kept, site.values(name))
            taken = frozenset(each.value_key for each in self._taken if each[:2] == (key, lower))
            result = merge_values(self._schema, name, versions, taken)
            decisions += [self._make_decision(site.dn, name, each) for each in result.conflicts]
            if result.values is not None:
                merged = merged.with_values(name, result.values)
        if self._stage is Stage.OFFICIAL:
            merged, ambiguous = self._replace_ambiguous(key, merged)
            known = {each.attribute.lower() for each in decisions}
            decisions += [each for each in ambiguous if each.attribute.lower() not in known]
        if merged is not site:
            checked = self._keep_valid(key, merged, theirs)
            if checked is site:
                return site
            merged = checked
        for each in decisions:
            (self._result.kept if _is_own_by_nature(site, each) else self._result.decisions).append(each)
        return merged

    def _replace_ambiguous(self, key: NormalDN, merged: Entry) -> tuple[Entry, list[Decision]]:
        """Return *merged* with the names that the user has chosen, and the decisions about names as shipped."""
        site, decisions = self._site.entries[key], []
        for lower, replacements in self._shipped.ambiguous.get(key, {}).items():
            name = next((each.name for each in site.attributes if each.name.lower() == lower), lower)
            current = merged.values(name)
            wanted = tuple(dict.fromkeys(replacements.get(each, each) for each in current))
            if wanted == current:
                continue
            if Place(key, lower) in self._taken:
                merged = merged.with_values(name, wanted)
            else:
                reason = (
                    "an update file has set this attribute to a name from the default configuration, but at this site, "
                    "this name belongs to another part"
                )
                decisions.append(Decision(site.dn, name, reason, site=site.values(name), release=wanted))
        return merged, decisions

    def _keep_valid(self, key: NormalDN, merged: Entry, theirs: Entry) -> Entry:
        """Return *merged* as far as its classes allow it; the site's entry if they require what it does not have.

        Problems that the entry has at the site, or in the release itself, are none of the merge.
        """
        site = self._site.entries[key]
        before = {
            (each.rule, each.attribute) for entry in (site, theirs) for each in self._structures.find_problems(entry)
        }
        found = [each for each in self._structures.find_problems(merged) if (each.rule, each.attribute) not in before]
        surplus = [each.attribute for each in found if each.rule is ATTRIBUTE_NOT_ALLOWED]
        lacks = any(each.rule is MISSING_ATTRIBUTE for each in found)
        if not surplus and not lacks:
            return merged
        has_other_class = find_structural_classes(self._schema, site) != find_structural_classes(self._schema, merged)
        if not (lacks or has_other_class):
            # The site has removed an auxiliary class, so the attributes of this class are not for this site.
            for name in surplus:
                self._result.dropped.append(
                    Dropped(site.dn, f"the object classes of the site's entry do not allow {name}")
                )
                merged = merged.with_values(name, site.values(name))
            return merged
        if Place(key) in self._taken and not lacks:
            for name in surplus:
                merged = merged.with_values(name, ())
            return merged
        names = ", ".join(sorted({each.attribute for each in found if each.attribute}))
        self._result.decisions.append(
            Decision(
                site.dn,
                "",
                f"the release changes the object class of the entry, and the new class does not allow {names}"
                if surplus
                else f"the release changes the object class of the entry, and the new class requires {names}",
                needs_other_name=lacks,
            )
        )
        return site

    def _make_decision(self, dn: DN, name: str, conflict: ValueConflict) -> Decision:
        versions = conflict.versions
        return Decision(dn, name, conflict.reason, site=versions.site, release=versions.theirs, value_key=conflict.key)

    def _leave_out_removed(
        self, dn: DN, name: str, values: Values, known: tuple[Entry | None, Entry | None] = (None, None)
    ) -> Values:
        """Return *values* without references to what the site has removed.

        *known* are the entry in the base and in the default that the site was installed with. A reference of that
        default stays: the site decides whether it has kept it. References that are new to the base are reported.
        """
        base, original = (
            self._normalise(name, each.values(name)) if each is not None else frozenset[bytes]() for each in known
        )
        removed = [
            normal
            for each in values
            if (normal := self._normal(name, each)) not in original and self._refers_to_removed(name, each)
        ]
        if not removed:
            return values
        reason = f"the site has removed the entry to which {name} refers"
        self._result.dropped += [Dropped(dn, reason) for each in removed if each not in base]
        return tuple(each for each in values if self._normal(name, each) not in removed)

    def _decide(self, dn: DN, reason: str, *, needs_other_name: bool = False) -> None:
        self._result.decisions.append(Decision(dn, "", reason, needs_other_name=needs_other_name))

    def _meet_own_entry(self, key: NormalDN, theirs: Entry, site: Entry) -> None:
        """Handle a new entry of the release whose name the site uses already."""
        if self._is_part_of(site, theirs):
            completed = site
            for attribute in theirs.attributes:
                name = attribute.name
                if name.lower() not in IGNORED:
                    values = self._leave_out_removed(site.dn, name, attribute.values, (site, site))
                    combined = combine_values(self._schema, name, Versions((), values, site.values(name)))
                    completed = completed.with_values(name, combined) if combined is not None else completed
            self._result.tree.entries[key] = completed
        elif self._are_equal(site, theirs):
            return
        elif Place(key) in self._taken:
            self._result.tree.entries[key] = self._prepare_new(theirs)
        else:
            self._decide(site.dn, "the site has its own entry with this name")
            self._blocked.add(key)

    def _prepare_new(self, theirs: Entry) -> Entry:
        """Return *theirs* without references to what the site has removed, and without what is never merged."""
        entry = theirs
        for attribute in theirs.attributes:
            ignored = attribute.name.lower() in IGNORED
            kept = () if ignored else self._leave_out_removed(theirs.dn, attribute.name, attribute.values)
            entry = entry.with_values(attribute.name, kept)
        return entry

    def _add(self, key: NormalDN, theirs: Entry) -> None:
        tree = self._result.tree
        if self._is_blocked(key):
            self._result.dropped.append(Dropped(theirs.dn, "the site itself has added an entry above this entry"))
        elif key[1:] not in tree.entries:
            self._result.dropped.append(Dropped(theirs.dn, "the site does not have the parent entry"))
        elif self._uses_title(theirs):
            title = theirs.text(DICOM_AE_TITLE) or ""
            role = self._roles.get(title, title)
            self._decide(
                theirs.dn,
                f"the site uses the AE title {title} for another AE. To give the new AE another title: --role "
                f"{role}=TITLE",
                needs_other_name=True,
            )
            self._blocked.add(key)
        elif reason := self._find_reason_against(theirs):
            self._result.dropped.append(Dropped(theirs.dn, reason))
        else:
            tree.entries[key] = self._prepare_new(theirs)

    def _uses_title(self, entry: Entry) -> bool:
        """Return whether the site has another AE with the title of the new *entry*, or uses it as a further title."""
        title = entry.text(DICOM_AE_TITLE)
        return entry.is_a(DICOM_NETWORK_AE_OBJECT_CLASS) and (
            self._has_named(DICOM_NETWORK_AE_OBJECT_CLASS, DICOM_AE_TITLE, title)
            or self._has_named(DICOM_NETWORK_AE_OBJECT_CLASS, OTHER_AE_TITLE, title)
        )

    def _find_reason_against(self, entry: Entry) -> str:
        """Return why the new *entry* of the release is not for this site; empty if it is."""
        if entry.is_a(WEB_APP_OBJECT_CLASS) and self._list_blocked_titles() & set(entry.texts(DICOM_AE_TITLE)):
            return "the site has another AE with the title of the web application's AE"
        if entry.is_a(WEB_APP_OBJECT_CLASS) and not set(entry.texts(DICOM_AE_TITLE)) <= self._list_archive_titles():
            return "the site does not have the AE of this web application"
        # Some releases register titles of AEs that they do not have.
        if entry.is_a(DICOM_UNIQUE_AE_TITLE_OBJECT_CLASS) and self._lacks_named(
            DICOM_NETWORK_AE_OBJECT_CLASS, DICOM_AE_TITLE, entry.text(DICOM_AE_TITLE)
        ):
            return "the site does not have this AE"
        if entry.is_a(UNIQUE_WEB_APP_NAME_OBJECT_CLASS) and self._lacks_named(
            WEB_APP_OBJECT_CLASS, WEB_APP_NAME, entry.text(WEB_APP_NAME)
        ):
            return "the site does not have this web application"
        return ""

    def _list_blocked_titles(self) -> set[str]:
        return {
            title
            for key in self._blocked
            if key in self._site.entries and self._site.entries[key].is_a(DICOM_NETWORK_AE_OBJECT_CLASS)
            for title in self._site.entries[key].texts(DICOM_AE_TITLE)
        }

    def _list_archive_titles(self) -> set[str]:
        return {
            title
            for key, each in self._result.tree.entries.items()
            if key[1:] == self._archive_key and each.is_a(DICOM_NETWORK_AE_OBJECT_CLASS)
            for title in each.texts(DICOM_AE_TITLE)
        }

    def _has_named(self, object_class: str, attribute: str, name: str | None) -> bool:
        return _has_named(self._result.tree, object_class, attribute, name)

    def _lacks_named(self, object_class: str, attribute: str, name: str | None) -> bool:
        """Return whether the result lacks a part that the release has, or names in a web application."""
        return not self._has_named(object_class, attribute, name) and any(
            _has_named(self._theirs, each, attribute, name) for each in (object_class, WEB_APP_OBJECT_CLASS)
        )

    def _delete_removed(self) -> None:
        tree = self._result.tree
        removed = [
            key
            for key in self._base.entries
            if key not in self._theirs.entries and key in self._site.entries and not self._is_blocked(key)
        ]
        unchanged = set()
        for key in removed:
            site = self._site.entries[key]
            is_changed = not self._are_equal(self._base.entries[key], site)
            if is_changed and Place(key) not in self._taken:
                self._decide(
                    site.dn,
                    "an update file has added this entry for a part that the site has renamed, under the default name "
                    "of the part. The site has changed the entry"
                    if key in self._shipped.entries
                    else "the release removes the entry, but the site has changed the entry",
                )
            elif self._is_lost_move(key, site):
                self._result.dropped.append(Dropped(site.dn, "the site does not have the AE that gets the capability"))
            else:
                unchanged.add(key)
        self._keep_needed(unchanged)
        for key in sorted(unchanged, key=len, reverse=True):
            if self._stage is Stage.GAP:
                self._result.offered_deletes.append(tree.entries[key].dn)
            else:
                del tree.entries[key]

    def _keep_needed(self, keys: set[NormalDN]) -> None:
        """Take from *keys* the entries that something refers to, or lies below, that stays at the site."""
        while keys:
            needed = {**self._find_referrers(keys), **self._find_parents(keys)}
            for key, reason in needed.items():
                self._result.dropped.append(Dropped(self._site.entries[key].dn, reason))
            keys.difference_update(needed)
            if not needed:
                return

    def _find_parents(self, keys: set[NormalDN]) -> dict[NormalDN, str]:
        above = {each[start:] for each in self._result.tree.entries.keys() - keys for start in range(1, len(each))}
        return dict.fromkeys(keys & above, "the site has child entries of its own below this entry")

    def _find_referrers(self, keys: set[NormalDN]) -> dict[NormalDN, str]:
        references = References(Tree(self._schema, self._result.tree.entries))
        found: dict[NormalDN, str] = {}
        for each in references.all:
            referrer = self._result.tree.key(each.dn)
            if each.use is NameUse.COMPARED or referrer in keys or self._has_value(referrer, each):
                continue
            entry = references.resolve(each)
            key = self._result.tree.key(entry.dn) if entry is not None else None
            if key is not None and key in keys:
                found.setdefault(key, f"{each.dn.rdn} refers to this entry with {each.attribute}")
        return found

    def _has_value(self, key: NormalDN, reference: Reference) -> bool:
        """Return whether the release itself makes the reference, so that it may be one to nothing."""
        entry = self._theirs.entries.get(key)
        name, value = reference.attribute, reference.value
        return entry is not None and self._normal(name, value) in self._normalise(name, entry.values(name))

    def _is_lost_move(self, key: NormalDN, entry: Entry) -> bool:
        """Return whether the release moves the capability *entry* to an AE that is not in the result."""
        if not entry.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS):
            return False
        _, sop_class, role = get_capability_id(key, entry)
        targets = self._moved_capabilities.get((sop_class, role, key[2:]), set()) - {key[1:]}
        return bool(targets) and not any(each in self._result.tree.entries for each in targets)

    @cached_property
    def _moved_capabilities(self) -> dict[tuple[str, str, NormalDN], set[NormalDN]]:
        """The AEs to which the release adds a capability: SOP class, role and device → AEs."""
        found: dict[tuple[str, str, NormalDN], set[NormalDN]] = defaultdict(set)
        for key, entry in self._theirs.entries.items():
            if key not in self._base.entries and entry.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS):
                parent, sop_class, role = get_capability_id(key, entry)
                found[sop_class, role, parent[1:]].add(parent)
        return found

    def _refers_to_removed(self, name: str, value: bytes) -> bool:
        """Return whether *value* names an AE or is the DN of an entry that the site has removed."""
        if is_marked_removed(value):
            return True
        definition = self._schema.attribute(name)
        if definition is None or definition.syntax != "DN":
            return False
        try:
            key = self._schema.normalise_dn(DN.parse(value.decode("utf-8", "surrogateescape")))
        except MalformedInput:
            return False
        return key in self._base.entries and key not in self._site.entries

    def _are_equal(self, one: Entry, other: Entry) -> bool:
        return not list(self._list_differing(one, other))

    def _list_differing(self, one: Entry, other: Entry) -> Iterator[str]:
        names = {each.name.lower(): each.name for entry in (one, other) for each in entry.attributes}
        for lower, name in names.items():
            if lower not in IGNORED and self._normalise(name, one.values(name)) != self._normalise(
                name, other.values(name)
            ):
                yield name

    def _is_part_of(self, site: Entry, theirs: Entry) -> bool:
        """Return whether all values of *site* are among those of *theirs*."""
        return all(
            self._normalise(each.name, each.values) <= self._normalise(each.name, theirs.values(each.name))
            for each in site.attributes
            if each.name.lower() not in IGNORED
        )

    def _normalise(self, name: str, values: tuple[bytes, ...]) -> frozenset[bytes]:
        return frozenset(self._normal(name, each) for each in values)

    def _normal(self, name: str, value: bytes) -> bytes:
        return self._schema.normalise_value(name, value)


def _has_named(tree: UpgradeTree, object_class: str, attribute: str, name: str | None) -> bool:
    return any(each.is_a(object_class) and name in each.texts(attribute) for each in tree.entries.values())


def _get_rank(entry: Entry) -> int:
    """Return the place in the order of additions: web applications depend on AEs, and registrations on both."""
    return 2 if _is_registration(entry) else int(entry.is_a(WEB_APP_OBJECT_CLASS))


def _is_registration(entry: Entry) -> bool:
    return entry.is_a(DICOM_UNIQUE_AE_TITLE_OBJECT_CLASS) or entry.is_a(UNIQUE_WEB_APP_NAME_OBJECT_CLASS)


def _is_own_by_nature(entry: Entry, decision: Decision) -> bool:
    """Return whether the value of the site is right in *decision*, about an attribute of *entry*."""
    lower = decision.attribute.lower()
    return lower in _OWN_BY_NATURE or (lower == DCM_URI.lower() and entry.is_a(STORAGE_OBJECT_CLASS))
