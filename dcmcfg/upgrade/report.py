"""What an upgrade changes at a site, entry by entry, with the official records that each change comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.plan.plan import Plan
from dcmcfg.upgrade.merge_result import IGNORED
from dcmcfg.upgrade.trees import UpgradeTree

ChangeKind = Literal["add", "modify", "delete"]
_KEY_STORE, _TRUST_STORE = "TLS connections use this key store", "TLS connections use this trust store"
#: Attribute → why an administrator checks a change of it before the upgrade.
_CHECKS = {
    "dcmURI": "check that this is the same place on the archive's host",
    "dcmQueryRetrieveViewID": "decides which rejected instances users see",
    "dcmAcceptedUserRole": "decides who can use this",
    "dicomPort": "the port must be free, and firewalls must allow it",
    "dcmKeyStoreURL": _KEY_STORE,
    "dcmKeyStoreType": _KEY_STORE,
    "dcmKeyStorePin": _KEY_STORE,
    "dcmKeyStorePinProperty": _KEY_STORE,
    "dcmKeyStoreKeyPin": _KEY_STORE,
    "dcmKeyStoreKeyPinProperty": _KEY_STORE,
    "dcmTrustStoreURL": _TRUST_STORE,
    "dcmTrustStoreType": _TRUST_STORE,
    "dcmTrustStorePin": _TRUST_STORE,
    "dcmTrustStorePinProperty": _TRUST_STORE,
}
_CHECKS_BY_LOWER_NAME = {name.lower(): reason for name, reason in _CHECKS.items()}
_URI, _STORAGE_CLASS = "dcmuri", "dcmStorage"


@dataclass(frozen=True)
class AttributeChange:
    """An attribute with its values before and after the upgrade; ``check`` is why to check it, or empty."""

    name: str
    before: tuple[bytes, ...]
    after: tuple[bytes, ...]
    check: str = ""


@dataclass(frozen=True)
class ReportedChange:
    """The change of an entry.

    ``attributes`` are those of a changed entry. ``places`` are the official records that write the entry, in their
    order (``5.32.0/update-dev-5.32.0.ldif:14``); empty for a difference from the default that no record explains.
    """

    dn: DN
    kind: ChangeKind
    attributes: tuple[AttributeChange, ...] = ()
    places: tuple[str, ...] = ()

    @property
    def needs_check(self) -> bool:
        """Whether an administrator should check the change before the upgrade."""
        return self.kind == "delete" or any(each.check for each in self.attributes)


def list_reported_changes(plan: Plan, places: Mapping[NormalDN, tuple[str, ...]]) -> tuple[ReportedChange, ...]:
    """Return the changes of *plan* by entry, parents first; *places* are the official records by entry."""
    before = UpgradeTree(plan.before.schema, plan.before.entries)
    keys = {before.key(each.dn) for each in plan.changes}
    return tuple(
        _report(plan.before.entries.get(key), plan.after.entries.get(key), places.get(key, ()), before)
        for key in sorted(keys, key=lambda each: (len(each), each))
    )


def _report(old: Entry | None, new: Entry | None, places: tuple[str, ...], tree: UpgradeTree) -> ReportedChange:
    match old, new:
        case None, Entry():
            return ReportedChange(new.dn, "add", places=places)
        case Entry(), None:
            return ReportedChange(old.dn, "delete", places=places)
        case Entry(), Entry():
            return ReportedChange(new.dn, "modify", tuple(_compare(old, new, tree)), places)
    raise AssertionError("a plan does not change an entry that is in neither tree")


def _compare(old: Entry, new: Entry, tree: UpgradeTree) -> Iterator[AttributeChange]:
    names = {each.name.lower(): each.name for entry in (old, new) for each in entry.attributes}
    for lower, name in sorted(names.items()):
        if tree.normalise(name, old.values(name)) != tree.normalise(name, new.values(name)):
            # Other entries, such as coercions, have URIs that are no places.
            is_checked = lower not in IGNORED and (lower != _URI or new.is_a(_STORAGE_CLASS))
            check = _CHECKS_BY_LOWER_NAME.get(lower, "") if is_checked else ""
            yield AttributeChange(name, old.values(name), new.values(name), check)
