"""Render the references to deleted entries as JSON. Kept apart: ``apply`` loads render.plan, but not edits."""

from __future__ import annotations

from typing import Any

from dcmcfg.edits.edit import Edit, Referrer
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.render.terminal.cells import format_cell_value


def referrers_json(edit: Edit) -> dict[str, Any]:
    """Return all ``referrers`` of a removal for ``--json``; an empty dictionary for other edits.

    Each referrer has the ``dn``, ``attribute`` and ``value`` of the reference, the ``kind`` and ``name`` of its target
    (``entry`` and null for a reference by DN), and the DN of the target entry, ``target_dn``.
    """
    return {} if edit.referrers is None else {"referrers": [_referrer_json(each) for each in edit.referrers]}


def _referrer_json(referrer: Referrer) -> dict[str, Any]:
    reference = referrer.reference
    return {
        "dn": str(reference.dn),
        "attribute": reference.attribute,
        "value": format_cell_value(reference.attribute, reference.value),
        "kind": reference.kind.value.label,
        "name": None if reference.kind is EntityKind.ENTRY else reference.name,
        "target_dn": str(referrer.target),
    }
