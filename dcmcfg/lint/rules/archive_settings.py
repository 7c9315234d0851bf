"""Rules for settings of the archive that affect other parts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.schema.value_kinds.durations import parse_seconds
from dcmcfg.schema_names import (
    AE_CACHE_STALE_TIMEOUT,
    ARCHIVE_NETWORK_AE_OBJECT_CLASS,
    DICOM_AE_TITLE,
    OBJECT_STORAGE_ID,
    QUEUE_OBJECT_CLASS,
    STORAGE_ID,
    STORAGE_OBJECT_CLASS,
    STORAGE_THRESHOLD,
    WEB_APP_OBJECT_CLASS,
    WEB_SERVICE_CLASS,
)

_MAXIMUM_CACHE_S = 3600
_ORDINAL = re.compile(rb"\{[0-9A-Z]\}")


def _find_ae_cache_never_expires(context: LintContext) -> Iterator[Violation]:
    name = AE_CACHE_STALE_TIMEOUT
    for device in context.archives:
        # Observed on 5.35.1: an AE that was unknown at its first lookup stays unknown (A801) until a reload.
        if name not in device.entry:
            command = ("set", context.format_target(device.entry), f"{name}=PT5M")
            yield Violation(
                device.entry.dn,
                "the archive caches the addresses of other AEs until a reload",
                name,
                fix_command=command,
            )


def _find_ae_cache_timeout_long(context: LintContext) -> Iterator[Violation]:
    name = AE_CACHE_STALE_TIMEOUT
    for device in context.archives:
        for value in device.entry.values(name):
            if (parse_seconds(value.decode("utf-8", "replace")) or 0) > _MAXIMUM_CACHE_S:
                message = (
                    "until the cache time ends, the archive uses old addresses, and an AE that was unknown before "
                    "stays unknown"
                )
                yield Violation(device.entry.dn, message, name, value)


def _find_tasks_never_run(context: LintContext) -> Iterator[Violation]:
    name = "dcmTaskPollingInterval"
    for device in context.archives:
        if name not in device.entry and context.find_parts(device, QUEUE_OBJECT_CLASS):
            command = ("set", context.format_target(device.entry), f"{name}=PT1M")
            yield Violation(device.entry.dn, "the archive never runs queued tasks", name, fix_command=command)


def _find_ae_without_web_app(context: LintContext) -> Iterator[Violation]:
    for device in context.archives:
        served = {
            app.text(DICOM_AE_TITLE)
            for app in context.find_parts(device, WEB_APP_OBJECT_CLASS)
            if "DCM4CHEE_ARC_AET" in app.texts(WEB_SERVICE_CLASS)
        }
        for ae in device.network_aes:
            if served and ae.title not in served and ae.entry.is_a(ARCHIVE_NETWORK_AE_OBJECT_CLASS):
                yield Violation(ae.entry.dn, "no web application of class DCM4CHEE_ARC_AET serves this AE")


def _find_preferred_transfer_syntax_order(context: LintContext) -> Iterator[Violation]:
    name = "dcmPreferredTransferSyntax"
    for entry in context.tree.index.find_by_attribute(name):
        for value in entry.values(name):
            # LDAP values have no order, so the loader expects an ordinal and removes three characters of any text.
            if not _ORDINAL.match(value):
                yield Violation(
                    entry.dn,
                    "the value has no ordinal such as {0}, but the archive still removes the first three characters",
                    name,
                    value,
                )


def _find_storage_threshold(context: LintContext) -> Iterator[Violation]:
    name = STORAGE_THRESHOLD
    for device in context.archives:
        limited = {
            each.text(STORAGE_ID): each for each in context.find_parts(device, STORAGE_OBJECT_CLASS) if name in each
        }
        for ae in device.network_aes:
            used = ae.entry.texts(OBJECT_STORAGE_ID)
            for storage in (limited[each] for each in used if each in limited):
                # Observed on 5.35.1: the archive reloads before it writes dcmObjectStorageID. If the reload fails, it
                # answers 0110.
                if len(used) > 1:
                    message = (
                        "if the free space is below this threshold, the archive reloads its configuration from LDAP at "
                        f"the next C-STORE to {ae.title}"
                    )
                else:
                    message = (
                        f"if the free space is below this threshold, {ae.title} refuses every C-STORE, because "
                        "dcmObjectStorageID contains no other storage"
                    )
                yield Violation(storage.dn, message, name, storage.values(name)[0])


RULES = (
    LintRule(
        "ae-cache-never-expires",
        "warning",
        requirement="The archive must refresh its AE cache regularly.",
        reason="Without dcmAECacheStaleTimeout, old addresses and unknown AEs stay in the cache until a reload.",
        fix="Set dcmAECacheStaleTimeout.",
        example_command="dcmcfg set DEVICE dcmAECacheStaleTimeout=PT5M",
        find_violations=_find_ae_cache_never_expires,
        needs_whole_tree=False,
    ),
    LintRule(
        "ae-cache-timeout-long",
        "note",
        requirement="The archive must refresh its AE cache at least once an hour.",
        reason="If you change the AE of another device, the change takes effect only after the time in "
        "dcmAECacheStaleTimeout, or after a reload.",
        fix="Set a shorter time in dcmAECacheStaleTimeout, or reload after each change.",
        example_command="dcmcfg set DEVICE dcmAECacheStaleTimeout=PT5M",
        find_violations=_find_ae_cache_timeout_long,
        needs_whole_tree=False,
    ),
    LintRule(
        "storage-threshold",
        "note",
        requirement="Administrators must know how the archive reacts when the free space of a storage is below "
        "dcmStorageThreshold.",
        reason="If dcmObjectStorageID also contains another storage, the archive reloads its configuration "
        "automatically and removes the full storage from dcmObjectStorageID. This reload includes all changes in LDAP. "
        "If the archive cannot load these changes, the archive refuses the C-STORE (0110).",
        fix="Reload after each change, and do not leave unfinished changes in LDAP.",
        example_command="dcmcfg reload",
        find_violations=_find_storage_threshold,
    ),
    LintRule(
        "tasks-never-run",
        "warning",
        requirement="An archive that has queues must check the queues regularly for tasks.",
        reason="Without dcmTaskPollingInterval, exports, storage commitments and retrieves stay queued.",
        fix="Set dcmTaskPollingInterval.",
        example_command="dcmcfg set DEVICE dcmTaskPollingInterval=PT1M",
        find_violations=_find_tasks_never_run,
        needs_whole_tree=False,
    ),
    LintRule(
        "ae-without-web-app",
        "note",
        requirement="Each archive AE must have a web application of class DCM4CHEE_ARC_AET.",
        reason="Without this web application, the archive refuses REST requests for the AE, and the web UI does not "
        "offer the AE.",
        fix="Add a web application for the AE. If the AE should have no web application, ignore this note.",
        example_command="dcmcfg apply FILE",
        find_violations=_find_ae_without_web_app,
    ),
    LintRule(
        "preferred-transfer-syntax-order",
        "error",
        requirement="Each value of dcmPreferredTransferSyntax must begin with an ordinal in braces, for example "
        "{0}1.2.840.10008.1.2.1.",
        reason="The archive always removes the first three characters, even if they are part of the UID.",
        fix="Write an ordinal such as {0} before each value.",
        example_command="dcmcfg edit TARGET",
        find_violations=_find_preferred_transfer_syntax_order,
        part="formats",
        needs_whole_tree=False,
    ),
)
