"""The rules about the archive's view of its device: the JSON of ``GET /devices/NAME``."""

from __future__ import annotations

from dcmcfg.schema.findings import CheckRule

_USE_DCMCFG = "Change the attribute with dcmcfg, not in the archive's web form."

ATTRIBUTE_NOT_SHOWN = CheckRule(
    "view-attribute-missing",
    "warning",
    "The archive's JSON must show each attribute of the archive's device.",
    part="archive-view",
    fix=f"{_USE_DCMCFG} If the release of the archive does not know the attribute, remove the attribute.",
    reason="The web form of the archive does not show the attribute. If the web form renames an AE or a connection, "
    "the archive deletes the entry with the attribute, and adds an entry without the attribute.",
)
ATTRIBUTE_NAME = CheckRule(
    "view-attribute-name",
    "warning",
    "The archive's JSON must use the LDAP name of each attribute.",
    part="archive-view",
    fix=_USE_DCMCFG,
    reason="The archive ignores an unknown name in the JSON. So the web form cannot change the attribute.",
)
VALUE_DIFFERS = CheckRule(
    "view-value",
    "warning",
    "The archive's JSON must show the values that the directory has.",
    part="archive-view",
    fix="If the archive reads a replica, run `dcmcfg status --replicas`. Otherwise, write the value exactly as the "
    "archive shows it. If you do not, the web form can replace the value when the form saves the device.",
    reason="The archive interprets the value differently, or uses a directory other than the directory of dcmcfg.",
)
ENTRY_NOT_SHOWN = CheckRule(
    "view-entry-missing",
    "warning",
    "The archive's JSON must show each entry of the archive's device.",
    part="archive-view",
    fix="If the archive reads a replica, run `dcmcfg status --replicas`. Otherwise, the release of the archive does "
    "not know the entry. Change the entry with dcmcfg, or remove the entry.",
    reason="The web form of the archive does not show the entry.",
)
ENTRY_ONLY_SHOWN = CheckRule(
    "view-entry-unknown",
    "warning",
    "Each entry in the archive's JSON must exist in the directory.",
    part="archive-view",
    fix="Compare the directory of the archive (LDAP_URL and LDAP_BASE_DN of its server) with `dcmcfg config show`. If "
    "the archive reads a replica, run `dcmcfg status --replicas`.",
    reason="The archive and dcmcfg use different directories, or the archive reads an outdated replica.",
)

RULES = (ATTRIBUTE_NOT_SHOWN, ATTRIBUTE_NAME, VALUE_DIFFERS, ENTRY_NOT_SHOWN, ENTRY_ONLY_SHOWN)
