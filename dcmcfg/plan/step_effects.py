"""When each step of a plan takes effect: at once, after the cache time, with a reload, with a restart.

The facts are those of :mod:`dcmcfg.schema.effect_timing`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from dcmcfg.changes import Rename
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.model.devices import find_enclosing_device
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import Plan, PlanStep
from dcmcfg.schema.effect_timing import DeviceKind, RequiredAction, find_special_effect_timings
from dcmcfg.schema_names import (
    AE_CACHE_STALE_TIMEOUT,
    ARCHIVE_DEVICE_OBJECT_CLASS,
    BIND_ADDRESS,
    DICOM_DEVICE_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_PORT,
    DICOM_SOFTWARE_VERSION,
)

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
#: The first release that no longer writes its loaded configuration over changes in the directory (arc#4772).
_FIRST_WITHOUT_WRITE_BACK = (5, 34, 1)
#: Attributes of a connection that make the archive bind its port again, beside those of the timings.
_BINDING_ATTRIBUTES = (DICOM_PORT.lower(), BIND_ADDRESS.lower())


class TakesEffect(StrEnum):
    """What makes a change take effect; the values are words of the report."""

    AT_ONCE = "at once"
    CACHE_TIME = "after the cache time"
    RELOAD = "reload"
    PORT_BINDING = "port is bound again (risk)"
    RESTART = "restart"


@dataclass(frozen=True)
class StepEffect:
    """What makes a step take effect, each once in the order of :class:`TakesEffect`.

    ``cache_time`` is the time for which the archive caches other AEs, as it is written in the tree; empty if they are
    cached until a reload.
    """

    effects: tuple[TakesEffect, ...]
    cache_time: str = ""

    def describe(self) -> str:
        """Return the effects as a phrase: ``reload · port is bound again (risk)``."""
        return " · ".join(map(self._describe_one, self.effects))

    def _describe_one(self, effect: TakesEffect) -> str:
        if effect is not TakesEffect.CACHE_TIME:
            return effect.value
        return f"after the cache time {self.cache_time}, or reload" if self.cache_time else "reload"


def classify_steps(plan: Plan) -> tuple[StepEffect, ...]:
    """Return the effect of each step of *plan*, in order."""
    cache_time = _find_cache_time(plan.before)
    return tuple(_classify(plan, step, cache_time) for step in plan.steps)


def _classify(plan: Plan, step: PlanStep, cache_time: str) -> StepEffect:
    device = _find_device(plan, step.change.dn)
    # Entries outside the devices, such as registered AE titles, are read from LDAP whenever they are needed.
    if device is None:
        return StepEffect((TakesEffect.AT_ONCE,))
    if not device.is_a(ARCHIVE_DEVICE_OBJECT_CLASS):
        return StepEffect((TakesEffect.CACHE_TIME if cache_time else TakesEffect.RELOAD,), cache_time)
    if plan.before.get(device.dn) is None and plan.after.get(device.dn) is not None and not _is_renamed(plan, device):
        # No archive runs with this device yet.
        return StepEffect((TakesEffect.RESTART,))
    found = {effect for name in list_changed_attributes(step) for effect in _classify_attribute(name, step)}
    return StepEffect(tuple(each for each in TakesEffect if each in (found or {TakesEffect.RELOAD})))


def _is_renamed(plan: Plan, device: Entry) -> bool:
    return any(isinstance(change, Rename) and change.new_dn == device.dn for change in plan.changes)


def _classify_attribute(name: str, step: PlanStep) -> Iterator[TakesEffect]:
    """Yield the effects of a change of the attribute *name* on an entry of an archive's device."""
    entry = step.after or step.before
    rules = [
        rule
        for rule in find_special_effect_timings(name)
        if rule.device_kind is DeviceKind.ARCHIVE
        and entry is not None
        and any(map(entry.is_a, rule.object_class.split(", ")))
    ]
    for rule in rules:
        match rule.required_action:
            case RequiredAction.RESTART | RequiredAction.NEXT_START:
                # A removed device or AE needs a reload only: nothing of it is left to restart.
                yield TakesEffect.RESTART if step.after is not None else TakesEffect.RELOAD
            case RequiredAction.RELOAD_UP_TO_TWICE:
                yield TakesEffect.RELOAD
                if step.before is not None and step.after is not None:
                    yield TakesEffect.PORT_BINDING
            case RequiredAction.RELOAD | RequiredAction.RELOAD_AND_START_DELAY | RequiredAction.CACHE_EXPIRY:
                yield TakesEffect.RELOAD
    if not rules:
        yield TakesEffect.RELOAD
        if (
            name.lower() in _BINDING_ATTRIBUTES
            and step.before is not None
            and step.after is not None
            and entry is not None
            and entry.is_a(DICOM_NETWORK_CONNECTION_OBJECT_CLASS)
        ):
            yield TakesEffect.PORT_BINDING


def list_changed_attributes(step: PlanStep) -> tuple[str, ...]:
    """Return the names of the attributes whose values *step* changes; all of them for an added or removed entry."""
    names = {each.name.lower(): each.name for entry in (step.before, step.after) if entry for each in entry.attributes}
    return tuple(
        name
        for name in names.values()
        if (step.before.values(name) if step.before else ()) != (step.after.values(name) if step.after else ())
    )


def _find_device(plan: Plan, dn: DN) -> Entry | None:
    """Return the device at or above *dn*, before the plan or after it, or None."""
    key = find_enclosing_device(plan.before.key(dn))
    if key is None:
        return None
    entry = plan.before.entries.get(key) or plan.after.entries.get(key)
    return entry if entry is not None and entry.is_a(DICOM_DEVICE_OBJECT_CLASS) else None


def _find_cache_time(tree: Tree) -> str:
    """Return the cache time of the first archive in *tree*, or empty if it has none."""
    archives = (each for each in tree.sorted_entries() if each.is_a(ARCHIVE_DEVICE_OBJECT_CLASS))
    archive = next(archives, None)
    return (archive.text(AE_CACHE_STALE_TIMEOUT) or "") if archive is not None else ""


def needs_reload(plan: Plan) -> bool:
    """Return whether a reload makes a step of *plan* take effect, or makes it take effect earlier."""
    return any(
        each in (TakesEffect.RELOAD, TakesEffect.PORT_BINDING, TakesEffect.CACHE_TIME, TakesEffect.AT_ONCE)
        for effect in classify_steps(plan)
        for each in effect.effects
    )


def describe_required_actions(plan: Plan) -> str:
    """Return what has to be done for *plan* to take effect, as a sentence; empty if a reload is all."""
    effects = {each for effect in classify_steps(plan) for each in effect.effects}
    if TakesEffect.RESTART not in effects:
        return ""
    reload_first = "reload the archive, then " if needs_reload(plan) else ""
    return f"To take effect: {reload_first}restart the archive"


def warn_about_port_binding(plan: Plan) -> Iterator[str]:
    """Yield a sentence if *plan* makes the archive bind a port again, which can fail."""
    rdns = [
        str(step.change.dn.rdn)
        for step, effect in zip(plan.steps, classify_steps(plan), strict=True)
        if TakesEffect.PORT_BINDING in effect.effects
    ]
    if rdns:
        yield (
            f"the reload closes a port of the archive and opens the port again ({', '.join(dict.fromkeys(rdns))}). If "
            "the port stays closed ('Address already in use'), dcmcfg repeats the reload once"
        )


def warn_about_write_back(plan: Plan) -> Iterator[str]:
    """Yield a sentence for each archive of *plan* whose release writes its loaded configuration over changes."""
    keys = {find_enclosing_device(plan.before.key(step.change.dn)) for step in plan.steps}
    for key in sorted(each for each in keys if each is not None):
        device = plan.before.entries.get(key)
        if device is None or not device.is_a(ARCHIVE_DEVICE_OBJECT_CLASS):
            continue
        for text in device.texts(DICOM_SOFTWARE_VERSION):
            match = _VERSION.search(text)
            if match is not None and tuple(int(each or 0) for each in match.groups()) < _FIRST_WITHOUT_WRITE_BACK:
                yield (
                    f"until the next reload, the archive (release {match[0]}) can overwrite this change with the old "
                    "configuration. Release 5.34.1 of the archive fixes this error"
                )
                break
