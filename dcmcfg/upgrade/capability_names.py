"""The names of transfer capabilities: a capability is the same if SOP class, role and AE are, whatever its name."""

from __future__ import annotations

from collections import defaultdict

from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.schema_names import (
    COMMON_NAME,
    DICOM_SOP_CLASS,
    DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS,
    DICOM_TRANSFER_ROLE,
)
from dcmcfg.upgrade.trees import UpgradeTree


class CapabilityNames:
    """The names that *site* gives to transfer capabilities, by AE, SOP class and role."""

    def __init__(self, site: UpgradeTree) -> None:
        self._names: dict[tuple[NormalDN, str, str], list[DN]] = defaultdict(list)
        for key, entry in site.entries.items():
            if entry.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS):
                self._names[get_capability_id(key, entry)].append(entry.dn)

    def align(self, key: NormalDN, entry: Entry) -> Entry:
        """Return *entry* with the name of the same capability at the site, unchanged if there is none or several."""
        if not entry.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS):
            return entry
        found = self._names.get(get_capability_id(key, entry), ())
        if len(found) != 1 or found[0].rdn == entry.dn.rdn:
            return entry
        renamed = entry.with_dn(found[0])
        for kind, value in found[0].rdn.parts:
            renamed = renamed.with_values(kind, [value.encode("utf-8", "surrogateescape")])
        return renamed


def align_capabilities(tree: UpgradeTree, site: UpgradeTree) -> UpgradeTree:
    """Return *tree* with the names that *site* gives to the same transfer capabilities: SOP class and role of an AE."""
    names = CapabilityNames(site)
    result, others = UpgradeTree(tree.schema), []
    for key, entry in tree.entries.items():
        aligned = names.align(key, entry)
        if aligned is entry:
            others.append((key, entry))
        else:
            result.put(aligned)
    for key, entry in others:
        # The site has given the name of this capability to another one, and has no such capability any more.
        is_taken = key in result.entries
        result.put(_rename_capability(entry) if is_taken else entry)
    return result


def _rename_capability(entry: Entry) -> Entry:
    """Return the capability *entry* with a name that is unlikely to be in use: its SOP class and role."""
    name = f"{entry.text(DICOM_SOP_CLASS)} {entry.text(DICOM_TRANSFER_ROLE)}"
    return entry.with_dn(entry.dn.parent.child(COMMON_NAME, name)).with_values(COMMON_NAME, [name.encode()])


def get_capability_id(key: NormalDN, entry: Entry) -> tuple[NormalDN, str, str]:
    """Return the key of the AE, the SOP class and the role of the capability *entry* at *key*."""
    return key[1:], entry.text(DICOM_SOP_CLASS) or "", entry.text(DICOM_TRANSFER_ROLE) or ""
