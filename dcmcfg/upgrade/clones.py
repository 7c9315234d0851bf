"""Clones: AEs of the archive's device that hold what an AE of the default held, under another title."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dcmcfg.dn import DN, RDN, NormalDN, is_at_or_below
from dcmcfg.errors import NotFound
from dcmcfg.schema_names import DICOM_AE_TITLE, DICOM_NETWORK_AE_OBJECT_CLASS
from dcmcfg.upgrade.ae_roles import score_content
from dcmcfg.upgrade.configuration_view import ConfigurationView
from dcmcfg.upgrade.roles import Roles
from dcmcfg.upgrade.trees import UpgradeTree

#: The part of an AE's capabilities that a clone must hold, and that must be those of the AE.
_MIN_SHARE = 0.9


@dataclass(frozen=True)
class CloneOffer:
    """The AEs ``titles`` of the site hold what the AE ``original`` (its title at the site) held in the base."""

    original: str
    titles: tuple[str, ...]


def find_clones(base: UpgradeTree, view: ConfigurationView, roles: Roles) -> tuple[CloneOffer, ...]:
    """Return the AEs without a role that hold at least 90 % of the capabilities of an AE with a role in *base*.

    At most 10 % of their own capabilities may be others: an AE with all capabilities is no clone of one with two. Of
    several such AEs with a role, the original is the one that the AE resembles most: a full AE also holds the
    capabilities of those that only allow queries.
    """
    held = ConfigurationView(base, roles.device).profiles
    with_role = set(roles.titles.values())
    found: dict[str, list[str]] = {}
    for title, profile in sorted(view.profiles.items()):
        if title in with_role:
            continue
        originals = {
            original: score_content(other, profile)
            for original, other in held.items()
            if other.capabilities
            and original in with_role
            and len(profile.capabilities & other.capabilities)
            >= _MIN_SHARE * max(len(other.capabilities), len(profile.capabilities))
        }
        best = max(originals, key=lambda each: originals[each], default=None)
        if best is not None:
            found.setdefault(best, []).append(title)
    return tuple(CloneOffer(original, tuple(titles)) for original, titles in found.items())


def choose_clones(offers: Sequence[CloneOffer], chosen: Sequence[str]) -> tuple[CloneOffer, ...]:
    """Return those of *offers* that the user has *chosen*; raises :class:`NotFound` for an AE that is no clone."""
    offered = sorted(title for each in offers for title in each.titles)
    for title in chosen:
        if title not in offered:
            raise NotFound(
                f"--also {title}: the site has no additional AE {title} with the same capabilities as an AE of the "
                "default configuration",
                next_step=f"additional AEs with the same capabilities: {', '.join(offered)}"
                if offered
                else "plan without --also, because no additional AE of the site has the same capabilities as an AE of "
                "the default configuration",
            )
    return _select(offers, lambda title: title in chosen)


def leave_out_chosen(offers: Sequence[CloneOffer], chosen: Sequence[str]) -> tuple[CloneOffer, ...]:
    """Return those of *offers* that the user has not *chosen*."""
    return _select(offers, lambda title: title not in chosen)


def _select(offers: Sequence[CloneOffer], is_selected: Callable[[str], bool]) -> tuple[CloneOffer, ...]:
    selected = (CloneOffer(each.original, tuple(filter(is_selected, each.titles))) for each in offers)
    return tuple(each for each in selected if each.titles)


def add_clones(tree: UpgradeTree, clones: Sequence[CloneOffer], archive_key: NormalDN) -> UpgradeTree:
    """Return *tree* with a copy of the original AE for each of *clones*."""
    result = tree.copy()
    for offer in clones:
        original = next(
            (
                key
                for key, each in tree.entries.items()
                if key[1:] == archive_key
                and each.is_a(DICOM_NETWORK_AE_OBJECT_CLASS)
                and offer.original in each.texts(DICOM_AE_TITLE)
            ),
            None,
        )
        if original is None:
            continue
        old = tree.entries[original].dn
        for title in offer.titles:
            new = DN((RDN.of(DICOM_AE_TITLE, title), *old.parent.rdns))
            for key, entry in tree.entries.items():
                if is_at_or_below(key, original):
                    copy = entry.with_dn(entry.dn.rebased(old, new))
                    result.put(copy.with_values(DICOM_AE_TITLE, [title.encode()]) if key == original else copy)
    return result
