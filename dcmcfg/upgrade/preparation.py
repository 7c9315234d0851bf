"""Prepare an upgrade: find roles and release of a site's tree, and merge the changes of the release into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from dcmcfg.changes import Rename
from dcmcfg.dn import NormalDN
from dcmcfg.errors import Refused
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import Plan
from dcmcfg.schema_names import DICOM_VENDOR_DATA
from dcmcfg.upgrade.checklist import NO_CHECKLIST, Checklist
from dcmcfg.upgrade.clones import CloneOffer, add_clones, choose_clones, find_clones, leave_out_chosen
from dcmcfg.upgrade.completeness import has_secrets, leave_out_secrets
from dcmcfg.upgrade.configuration_view import ConfigurationView
from dcmcfg.upgrade.decisions import Answers, answer_decisions, number_decisions, replace_numbers
from dcmcfg.upgrade.defaults import leave_out_aes, leave_out_devices, leave_out_web_apps, map_default, map_names
from dcmcfg.upgrade.gap import GapChange, Misses, apply_gap, list_differing_keys
from dcmcfg.upgrade.history import KnownDefault, ReconstructedBase, reconstruct_base
from dcmcfg.upgrade.merge import Merge
from dcmcfg.upgrade.merge_result import Decision, Dropped, MergeResult, Place, Stage
from dcmcfg.upgrade.options import DEFAULT_OPTIONS, UpgradeOptions
from dcmcfg.upgrade.own_parts import OwnParts
from dcmcfg.upgrade.prerequisites import (
    describe_exchanged_titles,
    find_missed_range,
    list_damages,
    list_warnings,
    require_upgrade,
)
from dcmcfg.upgrade.release import Release
from dcmcfg.upgrade.renamed_roles import add_earlier_roles, add_renamed_roles
from dcmcfg.upgrade.role_answers import SortedAnswers, sort_answers
from dcmcfg.upgrade.roles import Roles, find_roles, name_new_web_apps
from dcmcfg.upgrade.shipped_names import ShippedNames, find_shipped_names
from dcmcfg.upgrade.site_plan import make_upgrade_plan
from dcmcfg.upgrade.tree_status import TreeStatus, find_status
from dcmcfg.upgrade.trees import UpgradeTree
from dcmcfg.upgrade.vendor_data import Side, VendorMerge, merge_vendor_data

#: No roles of an earlier upgrade.
NO_ROLES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """An upgrade of a site: the plan, and everything that the report shows.

    ``decisions`` are the open ones of the official changes, ``gap_decisions`` those of the gap; the numbers of the
    latter follow those of the former. ``taken`` and ``confirmed`` are the answered ones of both: the values of the
    release are used, or those of the site stay. ``clones`` are offered, ``changed_clones`` chosen. ``theirs`` is the
    default after the official changes, and ``fresh`` that of a new installation, both with the names of the site.
    ``warnings`` are contradictions between the site and the releases; with ``may_be_incomplete``, official changes may
    be missing in the plan, and a warning says which. ``new_problems`` are the problems of the configuration after the
    plan that it does not have before. ``checklist`` are the files of the distribution that dcmcfg does not apply.
    """

    status: TreeStatus
    target: Release
    source: Release
    installed: Release
    options: UpgradeOptions
    roles: Roles
    plan: Plan
    official: MergeResult
    gap: MergeResult
    gap_changes: tuple[GapChange, ...]
    decisions: tuple[Decision, ...]
    gap_decisions: tuple[Decision, ...]
    reconstructed: ReconstructedBase
    vendor: VendorMerge
    clones: tuple[CloneOffer, ...]
    changed_clones: tuple[CloneOffer, ...]
    official_entries: frozenset[NormalDN]
    theirs: UpgradeTree
    fresh: UpgradeTree
    taken: tuple[Decision, ...] = ()
    confirmed: tuple[Decision, ...] = ()
    warnings: tuple[str, ...] = ()
    may_be_incomplete: bool = False
    new_problems: tuple[str, ...] = ()
    checklist: Checklist = NO_CHECKLIST

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        return tuple(self.official.dropped)

    @property
    def has_open_decisions(self) -> bool:
        """Whether the user has something to decide: values, files of the vendor data, or the requested gap."""
        return bool(self.decisions or self.vendor.needs_decision or (self.options.gap and self.gap_decisions))

    @property
    def lasting_options(self) -> UpgradeOptions:
        """The options with answers that a later plan understands: by place instead of by number."""
        is_open = (*self.decisions, *self.gap_decisions)
        return replace(
            self.options,
            take=replace_numbers(self.options.take, self.taken, (*self.confirmed, *is_open)),
            keep=replace_numbers(self.options.keep, self.confirmed, (*self.taken, *is_open)),
        )

    @property
    def needs_attention(self) -> bool:
        """Whether the plan must not be applied unseen: something is left to decide, or changes may be missing."""
        return self.has_open_decisions or self.may_be_incomplete


def prepare_upgrade(
    tree: Tree,
    source: Release,
    target: Release,
    installed: Release,
    *,
    options: UpgradeOptions = DEFAULT_OPTIONS,
    renames: Sequence[Rename] = (),
    earlier_roles: Mapping[str, str] = NO_ROLES,
) -> Upgrade:
    """Return the upgrade of the site *tree* from *source* to *target*; *installed* is the release it was set up with.

    *renames* are those that dcmcfg has made at the site, the oldest first, and *earlier_roles* the roles of an upgrade
    that it has applied there: role → AE title. The options of the result have those that are used.

    Raises :class:`Refused` if the target is not newer, if a question about roles is open, and for answers that name
    nothing, and :class:`~dcmcfg.errors.NotFound` for an AE of ``also`` that is no clone.
    """
    site = UpgradeTree(tree.schema, tree.entries)
    require_upgrade(source, target, installed)
    default = ConfigurationView(UpgradeTree.from_entries(site.schema, installed.entries))
    newest = ConfigurationView(UpgradeTree.from_entries(site.schema, target.entries))
    answers = sort_answers(options.roles, default, newest)
    archive = answers.archive or options.archive
    status = find_status(site, target, archive=archive, others=(source, installed))
    # What the release brings has no content yet, by which it could be found.
    later = [title for title in newest.profiles if title not in default.profiles]
    options = replace(options, roles=add_earlier_roles(options.roles, earlier_roles, status.view, later))
    answers, roles = _find_roles(options, default, newest, status.view, renames=renames)
    if roles.questions:
        # The content is not certain, so an earlier answer counts.
        present = add_earlier_roles(options.roles, earlier_roles, status.view, tuple(default.profiles))
        options = replace(options, roles=present)
        answers, roles = _find_roles(options, default, newest, status.view, renames=renames)
    require_answers(roles)
    roles = name_new_web_apps(answers.name_new_parts(roles), tuple(newest.web_apps))
    mapping = roles.make_mapping(site, default.base_dn)
    without = (*options.without, *answers.list_declined("devices"))
    _require_devices(without, default, newest)
    fresh = map_default(target, mapping, site, without)
    at_target = status.match is not None and target.version is not None and status.match.last >= target.version
    updates = target.list_updates(installed.version, target.version)
    shipped = find_shipped_names(site, target.list_updates(up_to=target.version), mapping, installed.version)
    repaired = shipped.repair(site)
    reconstructed = reconstruct_base(
        leave_out_devices(map_names(installed, mapping, site), without, mapping),
        updates,
        mapping,
        repaired,
        tree_version=status.match.last if status.match is not None else (installed.version or ()),
        known=[
            KnownDefault(target.version, fresh),
            KnownDefault(source.version, map_default(source, mapping, site, without)),
        ],
        declared=tuple(answers.new.titles.values()),
    )
    theirs = leave_out_devices(reconstructed.theirs, without, mapping)
    theirs, fresh = (_leave_out_declined(each, answers) for each in (theirs, fresh))
    base = shipped.restore(reconstructed.base, repaired, site)
    warnings = list(list_warnings(status, source, target, installed))
    exchanged = "" if earlier_roles or at_target else describe_exchanged_titles(status, installed, roles.titles)
    warnings += [exchanged] if exchanged else []
    if not has_secrets(site.entries.values()) and has_secrets(base.entries.values()):
        base, theirs, fresh = (leave_out_secrets(each) for each in (base, theirs, fresh))
        warnings.append(
            "the configuration has no secrets (an export without secrets), so dcmcfg does not upgrade secrets"
        )
    if at_target:
        # What neither the site nor the default of the release has was removed as part of the gap.
        theirs = UpgradeTree(
            theirs.schema,
            {key: each for key, each in theirs.entries.items() if key in fresh.entries or key in site.entries},
        )
    archive_key = site.key(status.view.device.dn)
    offers = find_clones(base, status.view, roles)
    clones = choose_clones(offers, options.also)
    # The AE of the release with the title of a clone is not at the site.
    theirs, fresh = (
        leave_out_aes(each, sorted(reconstructed.own.titles & set(options.also))) for each in (theirs, fresh)
    )
    base, theirs, fresh = (add_clones(each, clones, archive_key) for each in (base, theirs, fresh))
    stages = _Stages(
        original=map_default(installed, mapping, site, without),
        base=base,
        theirs=theirs,
        fresh=fresh,
        archive_key=archive_key,
        options=options,
        roles={new: old for old, new in roles.titles.items()},
        own=reconstructed.own.without_aes(options.also),
        shipped=shipped,
    )
    official, gap, decided, gap_decided = stages.merge(site)
    vendor = _merge_vendor(official.tree, archive_key, (installed, source, target), prefer=options.vendor)
    if vendor.merged is not None:
        data = official.tree.entries[archive_key].values(DICOM_VENDOR_DATA)
        gap.tree.entries[archive_key] = gap.tree.entries[archive_key].with_values(DICOM_VENDOR_DATA, data)
    misses = Misses(updates, reconstructed.failing, mapping)
    result, gap_changes = apply_gap(official.tree, gap, misses, options)
    return Upgrade(
        status=status,
        target=target,
        source=source,
        installed=installed,
        options=options,
        roles=roles,
        plan=make_upgrade_plan(tree, result),
        official=official,
        gap=gap,
        gap_changes=gap_changes,
        decisions=decided.open,
        gap_decisions=gap_decided.open,
        reconstructed=replace(reconstructed, places=shipped.add_places(reconstructed.places)),
        vendor=vendor,
        clones=leave_out_chosen(offers, options.also),
        changed_clones=clones,
        official_entries=frozenset(list_differing_keys(site, official.tree)),
        theirs=theirs,
        fresh=fresh,
        taken=(*decided.taken, *gap_decided.taken),
        confirmed=(*decided.kept, *gap_decided.kept),
        warnings=tuple(warnings),
        may_be_incomplete=find_missed_range(status, installed) is not None
        or bool(list_damages(target, installed))
        or bool(exchanged),
    )


def _find_roles(
    options: UpgradeOptions,
    default: ConfigurationView,
    newest: ConfigurationView,
    view: ConfigurationView,
    *,
    renames: Sequence[Rename],
) -> tuple[SortedAnswers, Roles]:
    answers = sort_answers(options.roles, default, newest)
    titles = add_renamed_roles(answers.present.titles, renames, default, view)
    return answers, find_roles(default, view, replace(answers.present, titles=titles))


@dataclass(frozen=True, kw_only=True)
class _Stages:
    """The trees of the two merges, with the names of the site, and the user's options.

    ``roles`` are the titles of the default by those at the site.
    """

    original: UpgradeTree
    base: UpgradeTree
    theirs: UpgradeTree
    fresh: UpgradeTree
    archive_key: NormalDN
    options: UpgradeOptions
    roles: Mapping[str, str]
    own: OwnParts
    shipped: ShippedNames

    def merge(self, site: UpgradeTree) -> tuple[MergeResult, MergeResult, Answers, Answers]:
        """Return the results of both stages, and the answered and open decisions of each."""
        official, gap = self._run(site, frozenset(), frozenset())
        decisions = number_decisions((*official.decisions, *gap.decisions))
        count = len(official.decisions)
        answers = answer_decisions(decisions, self.options.take, self.options.keep)
        first, second = answers.split_after(count)
        if answers.taken:
            # A decision of one stage must not be answered in the other one, about the same place.
            official, gap = self._run(site, first.list_taken_places(site), second.list_taken_places(site))
            first, second = first.follow(official.decisions), second.follow(gap.decisions)
        return official, gap, first, second

    def _run(
        self, site: UpgradeTree, taken: frozenset[Place], taken_in_gap: frozenset[Place]
    ) -> tuple[MergeResult, MergeResult]:
        official = Merge(
            self.base,
            self.theirs,
            site,
            Stage.OFFICIAL,
            archive_key=self.archive_key,
            taken=taken,
            original=self.original,
            roles=self.roles,
            own=self.own,
            shipped=self.shipped,
        ).run()
        gap = Merge(
            self.theirs,
            self.fresh,
            official.tree,
            Stage.GAP,
            archive_key=self.archive_key,
            taken=taken_in_gap,
            original=self.original,
            roles=self.roles,
            blocked=official.blocked,
            own=self.own,
        ).run()
        return official, gap


def _leave_out_declined(tree: UpgradeTree, answers: SortedAnswers) -> UpgradeTree:
    titles = (*answers.list_declined("titles"), *answers.list_declined("other_titles"))
    return leave_out_web_apps(leave_out_aes(tree, titles), answers.list_declined("web_apps"))


def _require_devices(names: Sequence[str], default: ConfigurationView, newest: ConfigurationView) -> None:
    known = {each.lower(): each for view in (default, newest) for each in view.devices}
    for name in names:
        if name.lower() not in known:
            raise Refused(
                f"--without {name}: the default configuration has no device {name}",
                next_step=f"devices of the default configuration: {', '.join(sorted(known.values()))}",
            )


def require_answers(roles: Roles) -> None:
    """Raise :class:`OpenQuestion` if the holder of a role is uncertain."""
    if not roles.questions:
        return
    lines = [
        f"{each.role}: {each.reason}. Candidates and their similarity (0 to 1): "
        + (", ".join(f"{title} ({score:.2f})" for title, score in each.candidates) or "none")
        for each in roles.questions
    ]
    first = roles.questions[0]
    best = first.candidates[0][0] if first.candidates else "-"
    raise OpenQuestion(
        "it is uncertain which AEs of the site have replaced these AEs of the default configuration",
        next_step=f"specify the AE of the site for each of these AEs, for example --role {first.role}={best}. If the "
        f"site has removed {first.role}, specify --role {first.role}=-",
        details=lines,
    )


class OpenQuestion(Refused):
    """A question about roles that the user must answer before a plan can be made."""

    exit_code = 2


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
