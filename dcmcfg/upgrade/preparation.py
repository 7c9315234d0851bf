"""Prepare an upgrade: find roles and release of a site's tree, and merge the changes of the release into it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dcmcfg.changes import Add, Change, Delete, Modify
from dcmcfg.dn import DN, NormalDN, is_at_or_below
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.plan.tree_diff import diff_trees
from dcmcfg.schema_names import (
    DICOM_AE_TITLE,
    DICOM_DEVICE_NAME,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    DICOM_SOFTWARE_VERSION,
    DICOM_VENDOR_DATA,
    OBJECT_CLASS,
)
from dcmcfg.upgrade.clones import CloneOffer, add_clones, find_clones
from dcmcfg.upgrade.history import KnownDefault, ReconstructedBase, reconstruct_base
from dcmcfg.upgrade.merge import Decision, Dropped, Merge, MergeResult, Stage, align_capabilities, is_keyed
from dcmcfg.upgrade.names import NameMapping
from dcmcfg.upgrade.release import Release, Version, parse_version
from dcmcfg.upgrade.roles import REMOVED, ConfigurationView, Roles, find_roles, name_new_web_apps
from dcmcfg.upgrade.signs import ARCHIVE, UI, ReleaseMatch, SignIndex
from dcmcfg.upgrade.trees import UpgradeTree
from dcmcfg.upgrade.vendor_data import Side, VendorMerge, merge_vendor_data

_MIN_COMPONENT_SIGNS = 20
_UI_CLASS = "dcmuiConfig"
#: The kinds of differences from a new installation that a plan can also remove.
GAP_KINDS = frozenset({"additions", "values", "removals", "all"})


@dataclass(frozen=True, kw_only=True)
class UpgradeOptions:
    """The user's choices.

    ``archive`` is the name of the archive's device; ``roles`` are answers (role → name, or ``-``); ``without`` are new
    devices of the release that the site does not want; ``also`` are clones that get the changes of the AE that they
    resemble; ``gap`` are the kinds of gap changes that are made; ``take`` are the numbers of decisions (1-based) for
    which the release wins; ``vendor`` answers conflicts of vendor data.
    """

    archive: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    gap: frozenset[str] = frozenset()
    take: frozenset[int] = frozenset()
    vendor: Side | None = None


#: The defaults: the official changes, no gap, no clones.
DEFAULT_OPTIONS = UpgradeOptions()


@dataclass(frozen=True)
class ComponentMatch:
    """The releases that a part of the tree matches best: an AE, the archive device, another device, the interface."""

    name: str
    match: ReleaseMatch


@dataclass(frozen=True, kw_only=True)
class TreeStatus:
    """The release of a site's tree, by its signs, and of its parts; ``software`` is what the archive wrote itself."""

    view: ConfigurationView
    match: ReleaseMatch | None
    components: tuple[ComponentMatch, ...]
    software: Version | None


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """An upgrade of a site: the plan, and everything that the report shows."""

    status: TreeStatus
    target: Release
    source: Release
    installed: Release
    roles: Roles
    plan: Plan
    official: MergeResult
    gap: MergeResult
    gap_changes: tuple[GapChange, ...]
    reconstructed: ReconstructedBase
    vendor: VendorMerge
    clones: tuple[CloneOffer, ...]
    official_entries: frozenset[NormalDN]

    @property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(self.official.decisions)

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        return tuple(self.official.dropped)


@dataclass(frozen=True)
class GapChange:
    """A difference between the tree after the official changes and the default of the release.

    ``kind`` is ``additions``, ``values`` or ``removals``; ``is_made`` is true if the plan makes it.
    """

    kind: str
    dn: DN
    attributes: tuple[str, ...]
    is_made: bool


def find_status(site: UpgradeTree, target: Release, *, archive: str = "", others: Sequence[Release] = ()) -> TreeStatus:
    """Return the release of the tree *site* and of its parts, by the update files of *target*.

    *others* are further releases, whose versions are candidates too. Raises the errors of
    :class:`~dcmcfg.upgrade.roles.ConfigurationView`.
    """
    view = ConfigurationView(site, archive)
    default = ConfigurationView(UpgradeTree.from_entries(site.schema, target.entries))
    mapping = find_roles(default, view).make_mapping(site, default.base_dn)
    index = SignIndex(target.list_updates(), mapping, site, [each.version for each in (*others, target)])
    return TreeStatus(
        view=view,
        match=index.match(site),
        components=tuple(_match_components(index, site, view)),
        software=_find_software(view.device),
    )


def _match_components(index: SignIndex, site: UpgradeTree, view: ConfigurationView) -> Iterator[ComponentMatch]:
    device_key = site.key(view.device.dn)
    aes = {
        each.text(DICOM_AE_TITLE) or "": key for key, each in view.children if each.is_a(DICOM_NETWORK_AE_OBJECT_CLASS)
    }
    interfaces = [key for key, each in view.children if each.is_a(_UI_CLASS)]
    devices = {name: site.key(each.dn) for name, each in view.devices.items()}
    groups: list[tuple[str, list[NormalDN], list[NormalDN]]] = [
        (ARCHIVE, [device_key], [*aes.values(), *interfaces]),
        *((f"AE {title}", [key], []) for title, key in aes.items()),
        *((f"device {name}", [key], []) for name, key in devices.items()),
        *([(UI, interfaces, [])] if interfaces else []),
    ]
    for name, below, excluded in groups:
        match = index.match(site, below, excluded)
        if match is not None and match.total >= _MIN_COMPONENT_SIGNS:
            yield ComponentMatch(name, match)


def _find_software(device: Entry) -> Version | None:
    found = (parse_version(each) for each in device.texts(DICOM_SOFTWARE_VERSION))
    return next((each for each in found if each is not None), None)


def prepare_upgrade(
    tree: Tree, source: Release, target: Release, installed: Release, *, options: UpgradeOptions = DEFAULT_OPTIONS
) -> Upgrade:
    """Return the upgrade of the site *tree* from *source* to *target*; *installed* is the release it was set up with.

    Raises :class:`Refused` if the target is not newer, if a question about roles is open, and for answers that name
    nothing.
    """
    site = UpgradeTree(tree.schema, tree.entries)
    if source.version is not None and target.version is not None and target.version <= source.version:
        raise Refused(
            f"release {target.label} is not newer than release {source.label}",
            next_step="specify the present release with --from, and the new one with --to",
        )
    if not target.updates:
        raise Refused(
            "the release has no update files, so its official changes are unknown",
            subject=target.name,
            next_step="specify the folder that holds them with --updates DIR",
        )
    status = find_status(site, target, archive=options.archive, others=(source, installed))
    default = ConfigurationView(UpgradeTree.from_entries(site.schema, installed.entries))
    newest = ConfigurationView(UpgradeTree.from_entries(site.schema, target.entries))
    later = {role: name for role, name in options.roles.items() if role not in default.profiles}
    _refuse_unknown_roles(later, default, newest)
    roles = find_roles(default, status.view, {role: name for role, name in options.roles.items() if role not in later})
    _require_answers(roles)
    # Roles that the release brings get their titles from the user.
    titles = {role: name for role, name in later.items() if name != REMOVED}
    roles = replace(roles, titles={**roles.titles, **titles})
    roles = name_new_web_apps(roles, tuple(newest.web_apps))
    mapping = roles.make_mapping(site, default.base_dn)
    fresh = _map_default(target, mapping, site, options.without)
    at_target = status.match is not None and target.version is not None and status.match.last >= target.version
    reconstructed = reconstruct_base(
        _leave_out(_map_names(installed, mapping, site), options.without, mapping),
        target.list_updates(installed.version, target.version),
        mapping,
        site,
        tree_version=status.match.last if status.match is not None else (installed.version or ()),
        known=[
            KnownDefault(target.version, fresh),
            KnownDefault(source.version, _map_default(source, mapping, site, options.without)),
        ],
    )
    theirs = _leave_out(reconstructed.theirs, options.without, mapping)
    unwanted = [role for role, name in later.items() if name == REMOVED]
    theirs, fresh = (_leave_out_aes(each, unwanted) for each in (theirs, fresh))
    if at_target:
        # What neither the site nor the default of the release has was removed as part of the gap.
        theirs = UpgradeTree(
            theirs.schema,
            {key: each for key, each in theirs.entries.items() if key in fresh.entries or key in site.entries},
        )
    archive_key = site.key(status.view.device.dn)
    clones = find_clones(reconstructed.base, status.view, roles)
    base, theirs, fresh = (
        add_clones(each, clones, options.also, archive_key) for each in (reconstructed.base, theirs, fresh)
    )
    official = Merge(base, theirs, site, Stage.OFFICIAL, archive_key=archive_key).run()
    _take_decisions(official, options.take)
    vendor = _merge_vendor(official.tree, archive_key, (installed, source, target), prefer=options.vendor)
    gap = Merge(theirs, fresh, official.tree, Stage.GAP, archive_key=archive_key).run()
    result, gap_changes = _apply_gap(official.tree, gap, options.gap)
    return Upgrade(
        status=status,
        target=target,
        source=source,
        installed=installed,
        roles=roles,
        plan=make_upgrade_plan(tree, result),
        official=official,
        gap=gap,
        gap_changes=tuple(gap_changes),
        reconstructed=reconstructed,
        vendor=vendor,
        clones=clones,
        official_entries=frozenset(_list_differing_keys(site, official.tree)),
    )


def _refuse_unknown_roles(answers: Mapping[str, str], default: ConfigurationView, newest: ConfigurationView) -> None:
    for role in answers:
        if role not in newest.profiles:
            known = sorted({*default.profiles, *newest.profiles})
            raise Refused(
                f"the default configuration has no AE {role}, which --role names",
                next_step=f"AEs of the default configuration: {', '.join(known)}",
            )


def _require_answers(roles: Roles) -> None:
    if not roles.questions:
        return
    lines = [
        f"{each.role}: {each.reason}: "
        + (", ".join(f"{title} ({score:.2f})" for title, score in each.candidates) or "no candidate")
        for each in roles.questions
    ]
    first = roles.questions[0]
    best = first.candidates[0][0] if first.candidates else "-"
    raise OpenQuestion(
        "it is uncertain which AEs of the site have these roles of the default configuration",
        next_step=f"answer each with --role, for example --role {first.role}={best}, or --role {first.role}=- if the "
        "site has removed the AE",
        details=lines,
    )


class OpenQuestion(Refused):
    """A question about roles that the user must answer before a plan can be made."""

    exit_code = 2


def _map_default(release: Release, mapping: NameMapping, site: UpgradeTree, without: Sequence[str]) -> UpgradeTree:
    """Return the default of *release* with the names of the site, also for transfer capabilities."""
    return align_capabilities(_leave_out(_map_names(release, mapping, site), without, mapping), site)


def _map_names(release: Release, mapping: NameMapping, site: UpgradeTree) -> UpgradeTree:
    return UpgradeTree.from_entries(site.schema, map(mapping.map_entry, release.entries))


def _leave_out(tree: UpgradeTree, devices: Sequence[str], mapping: NameMapping) -> UpgradeTree:
    """Return *tree* without *devices* and the registrations of their AEs."""
    names = {(mapping.devices.get(each) or each).lower() for each in devices}
    keys = [
        key for key, each in tree.entries.items() if (each.text(DICOM_DEVICE_NAME) or "").lower() in names and names
    ]
    if not keys:
        return tree
    kept = {key: each for key, each in tree.entries.items() if not any(is_at_or_below(key, top) for top in keys)}
    return UpgradeTree(tree.schema, kept)


def _leave_out_aes(tree: UpgradeTree, titles: Sequence[str]) -> UpgradeTree:
    """Return *tree* without the AEs *titles*; their web applications and registrations depend on them."""
    tops = [
        key
        for key, each in tree.entries.items()
        if each.is_a(DICOM_NETWORK_AE_OBJECT_CLASS) and each.text(DICOM_AE_TITLE) in titles
    ]
    kept = {key: each for key, each in tree.entries.items() if not any(is_at_or_below(key, top) for top in tops)}
    return UpgradeTree(tree.schema, kept)


def _take_decisions(result: MergeResult, numbers: frozenset[int]) -> None:
    """Let the release win in the decisions *numbers* of *result* (1-based), where values are at stake."""
    for number in sorted(numbers):
        if not 1 <= number <= len(result.decisions):
            raise Refused(f"there is no decision {number}; there are {len(result.decisions)}")
    for number in sorted(numbers, reverse=True):
        decision = result.decisions[number - 1]
        entry = result.tree.get(decision.dn)
        if not decision.attribute or entry is None:
            raise Refused(
                f"decision {number} is about a whole entry, and dcmcfg does not replace it",
                subject=str(decision.dn),
                next_step="rename or remove the entry of the site first",
            )
        result.tree.put(entry.with_values(decision.attribute, _replace_values(entry, decision)))
        del result.decisions[number - 1]


def _replace_values(entry: Entry, decision: Decision) -> tuple[bytes, ...]:
    """Return the values of the release, and of an attribute with keys also the site's values of all other keys."""
    if not is_keyed(decision.attribute):
        return decision.release
    keys = {each.partition(b"=")[0] for each in (*decision.site, *decision.release)}
    kept = (each for each in entry.values(decision.attribute) if each.partition(b"=")[0] not in keys)
    return (*kept, *decision.release)


def _merge_vendor(
    tree: UpgradeTree, archive_key: NormalDN, releases: Sequence[Release], *, prefer: Side | None
) -> VendorMerge:
    """Merge the vendor data of *releases*, the installed one first and the target last, into *tree*."""
    own = tree.entries[archive_key].values(DICOM_VENDOR_DATA)
    known = [each.vendor_data for each in releases if each.vendor_data is not None]
    merged = merge_vendor_data(own[0] if own else None, releases[-1].vendor_data, known, prefer=prefer)
    if merged.merged is not None:
        tree.entries[archive_key] = tree.entries[archive_key].with_values(DICOM_VENDOR_DATA, [merged.merged])
    return merged


def _apply_gap(
    official: UpgradeTree, gap: MergeResult, kinds: frozenset[str]
) -> tuple[UpgradeTree, Iterator[GapChange]]:
    """Return the tree with the gap changes of *kinds*, and all gap changes."""
    result, changes = official.copy(), []
    for key in sorted(_list_differing_keys(official, gap.tree), key=len):
        old, new = official.entries.get(key), gap.tree.entries.get(key)
        if new is None:
            continue
        kind = "additions" if old is None else "values"
        is_made = bool(kinds & {kind, "all"})
        names = () if old is None else tuple(_list_differing_names(old, new, official))
        changes.append(GapChange(kind, new.dn, names, is_made))
        if is_made and key[1:] in result.entries:
            result.entries[key] = new
    for dn in gap.offered_deletes:
        is_made = bool(kinds & {"removals", "all"})
        changes.append(GapChange("removals", dn, (), is_made))
        if is_made:
            result.entries.pop(official.key(dn), None)
    return result, iter(changes)


def _list_differing_keys(one: UpgradeTree, other: UpgradeTree) -> Iterator[NormalDN]:
    for key in one.entries.keys() | other.entries.keys():
        if one.entries.get(key) is not other.entries.get(key) and one.entries.get(key) != other.entries.get(key):
            yield key


def _list_differing_names(one: Entry, other: Entry, tree: UpgradeTree) -> Iterator[str]:
    names = {each.name.lower(): each.name for entry in (one, other) for each in entry.attributes}
    for name in sorted(names.values()):
        if tree.normalise(name, one.values(name)) != tree.normalise(name, other.values(name)):
            yield name


def make_upgrade_plan(tree: Tree, result: UpgradeTree) -> Plan:
    """Return the plan from *tree* to *result*; an entry whose structural class changes is deleted and added again."""
    target = replace(tree, entries=result.entries, versions={})
    changes = diff_trees(tree, target, with_secrets=True).plan.changes
    return make_plan(tree, [DesiredChange(each, strict=True) for each in _split_class_changes(changes, tree, result)])


def _split_class_changes(changes: Sequence[Change], tree: Tree, result: UpgradeTree) -> Iterator[Change]:
    for change in changes:
        entry = result.get(change.dn)
        if isinstance(change, Modify) and entry is not None and _changes_structure(change, tree):
            if tree.children(change.dn):
                raise Refused(
                    "the release changes the structural class of the entry, which has entries below it",
                    subject=str(change.dn),
                    next_step="move the entries below it to another place, and try again",
                )
            yield Delete(change.dn)
            yield Add(entry)
        else:
            yield change


def _changes_structure(change: Modify, tree: Tree) -> bool:
    """Return whether *change* replaces the structural object class, which a server refuses (result 69)."""
    current = tree.get(change.dn)
    for each in change.modifications:
        if each.name.lower() == OBJECT_CLASS.lower() and current is not None:
            removed = Counter(value.decode().lower() for value in each.values)
            for name in removed:
                definition = tree.schema.object_class(name)
                if definition is not None and definition.kind == "structural":
                    return True
    return False
