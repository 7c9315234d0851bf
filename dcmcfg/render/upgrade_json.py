"""Render the status and the report of an upgrade as JSON."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

from dcmcfg.dn import DN
from dcmcfg.entry import Attribute
from dcmcfg.render.upgrade_commands import list_apply_commands, list_revert_commands
from dcmcfg.schema_names import DICOM_VENDOR_DATA
from dcmcfg.secret_values import is_secret
from dcmcfg.timestamps import format_iso
from dcmcfg.upgrade.merge_result import Decision
from dcmcfg.upgrade.release import format_version
from dcmcfg.upgrade.report import PlannedChange, UpgradeReport
from dcmcfg.upgrade.signs import ReleaseMatch
from dcmcfg.upgrade.tree_status import TreeStatus

_GAP = "gap"


def upgrade_status_json(status: TreeStatus, entry_count: int) -> dict[str, Any]:
    """Return *status* for ``--json``.

    ``configuration`` and each of ``components`` (with ``name``) have ``first_release`` and ``last_release`` that match
    best, ``matching`` and ``total`` values. With ``may_be_newer``, the configuration may be at a release after all that
    dcmcfg knows, and with ``may_be_older``, at one before all of them. A component that ``differs`` is at another
    release than the configuration. ``software`` is the release that the archive recorded, or null.
    """
    return {
        "entry_count": entry_count,
        "configuration": _match_json(status.match),
        "may_be_newer": status.may_be_newer,
        "may_be_older": status.may_be_older,
        "software": format_version(status.software) if status.software is not None else None,
        "components": [
            {
                "name": each.name,
                **(_match_json(each.match) or {}),
                "differs": status.match is not None and each.match.differs_from(status.match),
            }
            for each in status.components
        ],
    }


def _match_json(match: ReleaseMatch | None) -> dict[str, Any] | None:
    if match is None:
        return None
    return {
        "first_release": format_version(match.first),
        "last_release": format_version(match.last),
        "matching": match.matching,
        "total": match.total,
    }


def upgrade_json(report: UpgradeReport) -> dict[str, Any]:
    """Return *report* for ``--json``.

    ``changes`` are parents first, one for each ``place``: an attribute of an entry, or a whole entry (``attribute`` is
    null). ``before`` and ``after`` are the values of the attribute, or an object of all attributes of the entry; null
    if there is nothing. ``provenance`` lists the official records (``file:line``), or is ``"gap"``; a change that an
    official record and the gap both make has the records and ``"gap"`` in the list. ``class`` is ``careful`` (an
    official change to check first), ``official``, ``clone``, ``vendor_data`` or ``gap``. ``decisions`` are in the order
    of their numbers; ``decided`` have an ``answer`` (``take`` or ``keep``); ``unchanged`` are values of the site, such
    as host names, that stay without a decision. ``dropped`` are changes that are not made; ``gap`` are the differences
    from a new installation, with ``made`` and the records that missed their target; ``gap_decisions`` are those where
    the site has values of its own.

    A value is text, ``{"base64": …}``, ``{"octet_count": …}`` (vendor data) or ``{"secret": true}``.
    """
    upgrade = report.upgrade
    vendor, checklist = upgrade.vendor, upgrade.checklist
    return {
        "headline": report.headline,
        "subject": report.subject,
        "created_at": format_iso(report.created),
        "plan_file": report.plan_file or None,
        "status": upgrade_status_json(upgrade.status, len(upgrade.plan.before.entries)),
        "source": upgrade.source.label,
        "target": upgrade.target.label,
        "roles": {
            "devices": dict(upgrade.roles.devices),
            "ae_titles": dict(upgrade.roles.titles),
            "web_applications": dict(upgrade.roles.web_apps),
            "removed": list(upgrade.roles.removed),
        },
        "components_behind": list(upgrade.reconstructed.behind),
        "changes": [_change_json(each) for each in report.changes],
        "vendor_data": {
            "added": list(vendor.new),
            "changed": list(vendor.changed),
            "removed": list(vendor.removed),
            "unchanged": list(vendor.kept),
            "conflicts": [each.name for each in vendor.conflicts],
            "problem": vendor.problem or None,
        },
        "dropped": [{"place": str(each.dn), "dn": str(each.dn), "reason": each.reason} for each in upgrade.dropped],
        "decisions": [_decision_json(each) for each in upgrade.decisions],
        "decided": [
            {**_decision_json(each), "answer": answer}
            for answer, decisions in (("take", upgrade.taken), ("keep", upgrade.confirmed))
            for each in decisions
        ],
        "unchanged": [_decision_json(each) for each in upgrade.official.kept],
        "gap": [
            {
                "kind": each.kind,
                "place": _format_place(each.dn, ", ".join(each.attributes)),
                "dn": str(each.dn),
                "attributes": list(each.attributes),
                "made": each.is_made,
                "provenance": list(each.places),
            }
            for each in upgrade.gap_changes
        ],
        "gap_decisions": [_decision_json(each) for each in upgrade.gap_decisions],
        "clones": [{"original": each.original, "ae_titles": list(each.titles)} for each in upgrade.clones],
        "defects": [*upgrade.target.defects],
        "failing_records": list(upgrade.reconstructed.failing),
        "warnings": list(upgrade.warnings),
        "new_problems": list(upgrade.new_problems),
        "checklist": {
            "sql": list(checklist.sql),
            "configuration": list(checklist.configuration),
            "cli": list(checklist.cli),
            "unused_updates": list(checklist.unused_updates),
        },
        "next_steps": list(list_apply_commands(report)),
        "revert_steps": list(list_revert_commands()),
    }


def _format_place(dn: DN, attribute: str) -> str:
    return f"{dn} {attribute}".rstrip()


def _decision_json(decision: Decision) -> dict[str, Any]:
    return {
        "number": decision.number or None,
        "place": _format_place(decision.dn, decision.attribute),
        "dn": str(decision.dn),
        "attribute": decision.attribute or None,
        "reason": decision.reason,
        "site": _values_json(decision.attribute, decision.site),
        "release": _values_json(decision.attribute, decision.release),
    }


def _change_json(change: PlannedChange) -> dict[str, Any]:
    provenance: list[str] | str = list(change.places)
    if change.is_gap:
        provenance = [*change.places, _GAP] if change.places else _GAP
    return {
        "place": _format_place(change.dn, change.attribute),
        "dn": str(change.dn),
        "attribute": change.attribute or None,
        "change_type": change.kind,
        "class": change.change_class,
        "before": _side_json(change.attribute, change.before),
        "after": _side_json(change.attribute, change.after),
        "provenance": provenance,
        "check": change.check or None,
    }


def _side_json(attribute: str, side: Iterable[Attribute]) -> Any:
    """Return the values of *attribute*, or all attributes of an entry; None if there are none."""
    by_name = {each.name: _values_json(each.name, each.values) for each in side}
    if not by_name:
        return None
    return next(iter(by_name.values())) if attribute else by_name


def _values_json(name: str, values: Sequence[bytes]) -> list[Any]:
    return [_value_json(name, each) for each in values]


def _value_json(name: str, value: bytes) -> Any:
    if is_secret(name, value):
        return {"secret": True}
    if name.lower() == DICOM_VENDOR_DATA.lower():
        return {"octet_count": len(value)}
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode("ascii")}
