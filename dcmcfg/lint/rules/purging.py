"""Rules for storages that purge studies because an external archive holds them."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.entry import Entry
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.model.devices import Device
from dcmcfg.schema_names import (
    EXPORTER_OBJECT_CLASS,
    EXTERNAL_RETRIEVE_AET,
    EXTERNAL_RETRIEVE_INSTANCE_AVAILABILITY,
    RETRIEVE_AET,
    STG_CMT_SCP,
    STORAGE_OBJECT_CLASS,
)

_DURATION = "dcmStorageDuration"
_TRIGGERS = (
    "dcmDeleterThreshold",
    "dcmDeleteStudiesOlderThan",
    "dcmDeleteStudiesReceivedBefore",
    "dcmDeleteStudiesNotUsedSince",
)


def _iterate_storages(context: LintContext) -> Iterator[tuple[Device, Entry]]:
    for device in context.archives:
        for storage in context.find_parts(device, STORAGE_OBJECT_CLASS):
            yield device, storage


def _get_duration(entry: Entry) -> str:
    # PERMANENT is the archive's default (StorageDescriptor).
    return entry.text(_DURATION) or "PERMANENT"


def _is_triggered(storage: Entry) -> bool:
    return any(name in storage for name in _TRIGGERS)


def find_recorded_titles(context: LintContext, device: Device) -> set[str]:
    """Return the titles that a storage commitment may record as external archive of a study (StgCmtEJB)."""
    exporters = [each for each in context.find_parts(device, EXPORTER_OBJECT_CLASS) if STG_CMT_SCP in each]
    # Without dcmRetrieveAET, the external archive's answer decides. It usually names its own title.
    return {each.text(RETRIEVE_AET) or each.text(STG_CMT_SCP) or "" for each in exporters}


def _find_external_storage_not_cache(context: LintContext) -> Iterator[Violation]:
    for _, storage in _iterate_storages(context):
        if EXTERNAL_RETRIEVE_AET in storage and _get_duration(storage) != "CACHE":
            consequence = (
                "nothing is purged"
                if _get_duration(storage) == "PERMANENT"
                else "purging also deletes the records of the studies"
            )
            message = f"the storage duration is {_get_duration(storage)}: {consequence}"
            command = ("set", context.format_target(storage), f"{_DURATION}=CACHE")
            yield Violation(storage.dn, message, _DURATION, fix_command=command)


def _find_purge_without_copy(context: LintContext) -> Iterator[Violation]:
    for _, storage in _iterate_storages(context):
        purges = _is_triggered(storage) or storage.text("dcmNoDeletionConstraint") == "TRUE"
        if (
            _get_duration(storage) == "CACHE"
            and purges
            and EXTERNAL_RETRIEVE_AET not in storage
            and "dcmExportStorageID" not in storage
        ):
            # PurgeStorageScheduler checks for a copy only if one of the two attributes is set.
            yield Violation(
                storage.dn, "the storage purges studies even if no other copy exists", EXTERNAL_RETRIEVE_AET
            )


def _find_cache_never_purged(context: LintContext) -> Iterator[Violation]:
    for device, storage in _iterate_storages(context):
        if _get_duration(storage) != "CACHE":
            continue
        if not _is_triggered(storage) and storage.text("dcmNoDeletionConstraint") != "TRUE":
            message = "the storage has neither a threshold nor a retention, so nothing is purged"
            yield Violation(storage.dn, message, "dcmDeleterThreshold")
        elif "dcmPurgeStoragePollingInterval" not in device.entry:
            message = "the archive has no dcmPurgeStoragePollingInterval, so nothing is purged"
            yield Violation(storage.dn, message, _DURATION)


def _find_external_archive_never_recorded(context: LintContext) -> Iterator[Violation]:
    for device, storage in _iterate_storages(context):
        external_titles, titles = storage.texts(EXTERNAL_RETRIEVE_AET), find_recorded_titles(context, device)
        if external_titles and not titles & set(external_titles):
            reason = (
                f"after storage commitments, the archive records only {', '.join(sorted(titles))} as external archive"
                if titles
                else "no exporter requests storage commitment"
            )
            yield Violation(
                storage.dn, f"{reason}, so nothing is purged", EXTERNAL_RETRIEVE_AET, external_titles[0].encode()
            )


def _find_purged_without_availability(context: LintContext) -> Iterator[Violation]:
    for _, storage in _iterate_storages(context):
        if EXTERNAL_RETRIEVE_AET in storage and EXTERNAL_RETRIEVE_INSTANCE_AVAILABILITY not in storage:
            # Observed on 5.35.1. With the attribute, a study keeps its availability even after a recall.
            message = "purged studies still have the availability ONLINE"
            command = ("set", context.format_target(storage), "dcmExternalRetrieveInstanceAvailability=NEARLINE")
            yield Violation(storage.dn, message, EXTERNAL_RETRIEVE_INSTANCE_AVAILABILITY, fix_command=command)


def _find_availability_without_effect(context: LintContext) -> Iterator[Violation]:
    name = EXTERNAL_RETRIEVE_INSTANCE_AVAILABILITY
    for _, storage in _iterate_storages(context):
        for value in storage.values(name) if EXTERNAL_RETRIEVE_AET not in storage else ():
            yield Violation(
                storage.dn, f"the storage has no {EXTERNAL_RETRIEVE_AET}, so this value has no effect", name, value
            )


RULES = (
    LintRule(
        "external-storage-not-cache",
        "error",
        requirement="A storage with dcmExternalRetrieveAET must have the storage duration CACHE.",
        reason="With PERMANENT (the default), the archive purges nothing. With TEMPORARY, purging also removes the "
        "records of the studies, so these studies cannot be retrieved again.",
        fix="Set dcmStorageDuration to CACHE.",
        example_command="dcmcfg set DN dcmStorageDuration=CACHE",
        find_violations=_find_external_storage_not_cache,
        needs_whole_tree=False,
    ),
    LintRule(
        "purge-without-copy",
        "error",
        requirement="A storage must purge only studies that have a copy elsewhere.",
        reason="If dcmExternalRetrieveAET and dcmExportStorageID are both missing, the archive deletes the only copy.",
        fix="Set dcmExternalRetrieveAET to the external archive that has the copy, or dcmExportStorageID to the "
        "storage that has the copy.",
        example_command="dcmcfg set DN dcmExternalRetrieveAET=AET",
        find_violations=_find_purge_without_copy,
        needs_whole_tree=False,
    ),
    LintRule(
        "cache-never-purged",
        "warning",
        requirement="A storage with the storage duration CACHE must have a setting that triggers purging.",
        reason="Without purging, the storage becomes full. Purging starts when the free space is below a threshold, or "
        "when a retention period ends. If neither is set, dcmNoDeletionConstraint=TRUE starts purging without such a "
        "condition. The archive checks these settings only if dcmPurgeStoragePollingInterval is set.",
        fix="Set dcmPurgeStoragePollingInterval on the device, and a threshold or a retention on the storage.",
        example_command="dcmcfg set DN dcmDeleterThreshold=SIZE",
        find_violations=_find_cache_never_purged,
    ),
    LintRule(
        "external-archive-never-recorded",
        "error",
        requirement="dcmExternalRetrieveAET must contain only AE titles that the archive can record after a storage "
        "commitment.",
        reason="The archive purges a study only if dcmExternalRetrieveAET contains the AE title that is recorded for "
        "the study. After a storage commitment, the archive records the exporter's first dcmRetrieveAET. Without "
        "dcmRetrieveAET, the archive records the AE title from the external archive's response, usually the external "
        "archive's own title.",
        fix="If no exporter has dcmStgCmtSCP, set this attribute on the exporter to the external archive. Otherwise, "
        "extend dcmExternalRetrieveAET by the AE title that the archive records, or correct dcmRetrieveAET of the "
        "exporter.",
        example_command="dcmcfg set DN dcmStgCmtSCP=AET",
        find_violations=_find_external_archive_never_recorded,
    ),
    LintRule(
        "purged-without-availability",
        "note",
        requirement="A storage with dcmExternalRetrieveAET must set the availability of purged studies.",
        reason="Without dcmExternalRetrieveInstanceAvailability, purged studies still have the availability ONLINE, so "
        "users do not expect a slow retrieve. With the attribute, purged studies get its value, and keep this value "
        "even after a recall. So after a recall, the availability does not show where the files are.",
        fix="Set dcmExternalRetrieveInstanceAvailability to NEARLINE or OFFLINE.",
        example_command="dcmcfg set DN dcmExternalRetrieveInstanceAvailability=NEARLINE",
        find_violations=_find_purged_without_availability,
        needs_whole_tree=False,
    ),
    LintRule(
        "availability-without-effect",
        "note",
        requirement="A storage with dcmExternalRetrieveInstanceAvailability must also have dcmExternalRetrieveAET.",
        reason="The archive sets the availability only when it purges a study with a copy on an external archive.",
        fix="Set dcmExternalRetrieveAET to the external archive, or unset the availability.",
        example_command="dcmcfg unset DN dcmExternalRetrieveInstanceAvailability",
        find_violations=_find_availability_without_effect,
        needs_whole_tree=False,
    ),
)
