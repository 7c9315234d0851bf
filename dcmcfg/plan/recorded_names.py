"""Find names that a plan removes, but under which the archive's database may have recorded studies.

For each object, the database records the title of the external archive that has it too, and the ID of the storage that
has its file. LDAP changes do not affect these records. Without an AE of that title, the archive cannot fetch a purged
study (``Unknown AE``, or ``not installed``). Without a storage of that ID, it does not find the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass

from dcmcfg.changes import Add, Delete, Modify, Rename
from dcmcfg.dn import DN, NormalDN
from dcmcfg.errors import NotFound
from dcmcfg.model.devices import Configuration, Device, NetworkAE
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.registries import WILDCARD
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import Plan, PlanStep
from dcmcfg.route.external_archives import find_external_archives
from dcmcfg.schema_names import (
    DICOM_AE_TITLE,
    DICOM_DEVICE_OBJECT_CLASS,
    DICOM_INSTALLED,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    OBJECT_CLASS,
    STORAGE_ID,
    STORAGE_OBJECT_CLASS,
)

#: Classes of entries whose delete removes a name, and attributes whose change removes a name.
_NAMED_CLASSES = (DICOM_DEVICE_OBJECT_CLASS, DICOM_NETWORK_AE_OBJECT_CLASS, STORAGE_OBJECT_CLASS)
_NAME_REMOVING_ATTRIBUTES = (DICOM_INSTALLED.lower(), DICOM_AE_TITLE.lower(), STORAGE_ID.lower(), OBJECT_CLASS.lower())


@dataclass(frozen=True)
class RecordedName:
    """A removed name of *kind* (an AE or a storage), with the entries that had it.

    ``expects_records`` is True if the configuration suggests records under the name: an AE is configured as an external
    archive. ``other_archives`` are the devices of other archives that use it so; their databases are not accessible. An
    AE that ``is_renamed`` has another title after the plan.
    """

    kind: EntityKind
    name: str
    entries: tuple[DN, ...]
    _: KW_ONLY
    expects_records: bool = True
    other_archives: tuple[str, ...] = ()
    is_renamed: bool = False


@dataclass(frozen=True)
class RecordedStudies:
    """The minimum number of studies that the database has recorded under a name.

    ``purged`` studies are only at the external archive; ``local`` studies have files in the archive's storage. Studies
    on a storage are ``local``. ``is_complete`` is False if the archive may have more. ``unknown_reason`` is the reason
    if the database could not be queried, or only in part.
    """

    name: RecordedName
    purged: int = 0
    local: int = 0
    _: KW_ONLY
    is_complete: bool = True
    unknown_reason: str = ""


def find_recorded_names(plan: Plan, *, device: str) -> tuple[RecordedName, ...]:
    """Return the names that *plan* removes, and that the database of the archive *device* may have recorded.

    These are titles that an installed AE has before the plan and no AE after it, except those of the archive itself,
    and the IDs of the archive's storages. Titles that are configured as external archives come first.
    """
    # Most plans remove no names, so the search through all AEs is only done if a step may remove one.
    if not any(map(_may_remove_name, plan.steps)):
        return ()
    before, after = _get_configuration(plan.before), _get_configuration(plan.after)
    if before is None:
        return ()
    renamed = frozenset(plan.before.key(each.dn) for each in plan.changes if isinstance(each, Rename))
    titles = _find_removed_titles(before, after, device, renamed)
    found = [*titles, *_find_removed_storages(before, after, device)]
    return tuple(sorted(found, key=lambda each: not each.expects_records))


def _may_remove_name(step: PlanStep) -> bool:
    match step.change:
        case Delete():
            return step.before is None or any(map(step.before.is_a, _NAMED_CLASSES))
        case Modify(_, modifications):
            return any(each.name.lower() in _NAME_REMOVING_ATTRIBUTES for each in modifications)
        case Rename():
            return True
        case Add():
            return False


def _get_configuration(tree: Tree) -> Configuration | None:
    """Return the configuration in *tree*, or None if there is none."""
    configuration = Configuration(tree)
    try:
        _ = configuration.root
    except NotFound:
        return None
    return configuration


def _find_removed_titles(
    before: Configuration, after: Configuration | None, device: str, renamed: frozenset[NormalDN]
) -> Iterator[RecordedName]:
    remaining = {ae.title for ae in after.network_aes() if ae.installed} if after is not None else set()
    removed: dict[str, list[NetworkAE]] = {}
    for ae in before.network_aes():
        # The AE ``*`` stands for any title, so no study is recorded under it.
        if ae.installed and ae.title not in remaining and ae.title != WILDCARD and not _has_name(ae.device, device):
            removed.setdefault(ae.title, []).append(ae)
    if not removed:
        return
    archives = {each.name: set(find_external_archives(each)) for each in before.devices if each.is_archive}
    for title, aes in removed.items():
        naming_archives = [name for name, titles in archives.items() if title in titles]
        other_archives = tuple(name for name in naming_archives if name.lower() != device.lower())
        entries = tuple(ae.entry.dn for ae in aes)
        is_renamed = any(before.tree.key(dn) in renamed for dn in entries)
        yield RecordedName(
            EntityKind.AE,
            title,
            entries,
            expects_records=bool(naming_archives),
            other_archives=other_archives,
            is_renamed=is_renamed,
        )


def _find_removed_storages(before: Configuration, after: Configuration | None, device: str) -> Iterator[RecordedName]:
    remaining = (
        {storage_id for archive in after.devices if archive.is_archive for storage_id in archive.storage_ids}
        if after is not None
        else set()
    )
    for archive in before.devices:
        if not _has_name(archive, device):
            continue
        for entry in archive.children(STORAGE_OBJECT_CLASS):
            name = entry.text(STORAGE_ID)
            if name is not None and name not in remaining:
                yield RecordedName(EntityKind.STORAGE, name, (entry.dn,))


def _has_name(device: Device, name: str) -> bool:
    return device.name.lower() == name.lower()
