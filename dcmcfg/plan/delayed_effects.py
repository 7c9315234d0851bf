"""Changes of a plan that require more than a reload to take effect, or that the archive loads without a reload."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import Plan, PlanStep
from dcmcfg.schema.effect_timing import DeviceKind, EffectTiming, RequiredAction, find_special_effect_timings
from dcmcfg.schema_names import (
    ARCHIVE_DEVICE_OBJECT_CLASS,
    DICOM_AE_TITLE,
    DICOM_DEVICE_OBJECT_CLASS,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    OBJECT_STORAGE_ID,
    STORAGE_ID,
    STORAGE_OBJECT_CLASS,
    STORAGE_THRESHOLD,
)

_SEVERAL = 2  # storages: one can replace another one
#: The maximum number of entries that a message names.
_MAX_SHOWN = 3


def describe_delayed_effects(plan: Plan) -> Iterator[str]:
    """Yield a sentence for each attribute of an archive that *plan* changes, and for which a reload is not enough.

    AEs that *plan* adds are included. A device of an archive that *plan* adds is not, because no archive runs with it
    yet.
    """
    for rule, changed in _find_delayed_effects(plan).items():
        dns = list(changed)
        more = f" and {len(dns) - _MAX_SHOWN} more" if len(dns) > _MAX_SHOWN else ""
        yield f"{_format_attributes(rule, plan)} ({', '.join(dns[:_MAX_SHOWN])}{more}) takes effect {rule.timing}"


def find_restart_attributes(plan: Plan) -> tuple[str, ...]:
    """Return the attributes that *plan* changes, and that take effect only after a restart of the archive."""
    return tuple(
        rule.attribute for rule in _find_delayed_effects(plan) if rule.required_action is RequiredAction.RESTART
    )


def warn_about_automatic_loading(tree: Tree) -> Iterator[str]:
    """Yield a sentence for each archive in *tree* that may load a change without a reload.

    This happens when a storage falls below its threshold and another one replaces it
    (``StorageFactory.getUsableStorage``, ``StoreServiceImpl.selectObjectStorage``).
    """
    for device in tree.entries.values():
        if not device.is_a(ARCHIVE_DEVICE_OBJECT_CLASS):
            continue
        limited = {
            entry.text(STORAGE_ID) or ""
            for entry in tree.children(device.dn)
            if entry.is_a(STORAGE_OBJECT_CLASS) and STORAGE_THRESHOLD in entry
        }
        for ae in tree.children(device.dn):
            used = ae.texts(OBJECT_STORAGE_ID)
            if (
                ae.is_a(DICOM_NETWORK_AE_OBJECT_CLASS)
                and len(used) >= _SEVERAL
                and (below := sorted(limited.intersection(used)))
            ):
                yield (
                    f"if {ae.text(DICOM_AE_TITLE)} receives a C-STORE while the free space of {' or '.join(below)} is "
                    f"below {STORAGE_THRESHOLD}, the archive might load this change before you reload the archive"
                )
                break


def _find_delayed_effects(plan: Plan) -> dict[EffectTiming, dict[str, None]]:
    """Return the timing rules that apply to *plan*, each with the RDNs of its entries in order (as dict keys)."""
    found: dict[EffectTiming, dict[str, None]] = {}
    for step in plan.steps:
        for name in _list_changed_attributes(step):
            for rule in find_special_effect_timings(name):
                if rule.shown_in_plan and _applies_to(rule, step) and _belongs_to_archive(plan, step):
                    found.setdefault(rule, {})[str(step.change.dn.rdn)] = None
    return found


def _list_changed_attributes(step: PlanStep) -> Iterator[str]:
    """Yield the names of the attributes whose values *step* changes; none for a deleted entry."""
    before, after = step.before, step.after
    if after is None:
        return
    # All attributes of a new entry are changed, because none of them was set before.
    if before is None:
        yield from (each.name for each in after.attributes)
        return
    names = {each.name.lower(): each.name for entry in (before, after) for each in entry.attributes}
    yield from (name for name in names.values() if before.values(name) != after.values(name))


def _format_attributes(rule: EffectTiming, plan: Plan) -> str:
    """Return the names of the attributes that *plan* changes, and to which *rule* applies."""
    names = {
        name
        for step in plan.steps
        for name in _list_changed_attributes(step)
        if rule in find_special_effect_timings(name)
    }
    return ", ".join(sorted(names))


def _applies_to(rule: EffectTiming, step: PlanStep) -> bool:
    entry = step.after
    return (
        rule.device_kind is DeviceKind.ARCHIVE
        and entry is not None
        and any(map(entry.is_a, rule.object_class.split(", ")))
    )


def _belongs_to_archive(plan: Plan, step: PlanStep) -> bool:
    # In the tree before the plan, an archive that the plan adds is missing: no archive runs with it yet.
    device = _find_device(plan.before, step.change.dn)
    return device is not None and device.is_a(ARCHIVE_DEVICE_OBJECT_CLASS)


def _find_device(tree: Tree, dn: DN) -> Entry | None:
    """Return the device that contains the entry *dn*, or None."""
    while dn.rdns:
        entry = tree.get(dn)
        if entry is not None and entry.is_a(DICOM_DEVICE_OBJECT_CLASS):
            return entry
        dn = dn.parent
    return None
