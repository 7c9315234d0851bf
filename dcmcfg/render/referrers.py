"""What refers to the entries that a removal deletes, as JSON. Kept apart: ``apply`` loads render.plan, and no edits."""

from __future__ import annotations

from typing import Any

from dcmcfg.edits.edit import Edit, Referrer
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.render.terminal.cells import format_cell_value


def referrers_json(edit: Edit) -> dict[str, Any]:
    """Return ``referrers`` of a removal for ``--json``, all of them; nothing for another edit.

    Each has ``dn``, ``attribute`` and ``value`` of the reference, the ``kind`` and ``name`` by which it refers (for a
    reference by DN ``entry`` and null), and the entry that it means, ``target_dn``.
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
