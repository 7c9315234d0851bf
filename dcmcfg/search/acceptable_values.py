"""Select the values of an attribute that a changing command would accept, for completion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.entry import Entry
from dcmcfg.errors import DcmcfgError
from dcmcfg.lint.plan_risks import assess_plan_risks
from dcmcfg.model.devices import Configuration, Device
from dcmcfg.model.retrieve_settings import find_storage_problem
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.schema.values import ValueRules
from dcmcfg.schema_names import DCM_PROTOCOL, DICOM_DESCRIPTION, EXTERNAL_RETRIEVE_AE_DESTINATION

#: Attributes whose values are checked together with other entries; all others are checked alone.
_CONTEXT_DEPENDENT = frozenset({EXTERNAL_RETRIEVE_AE_DESTINATION.lower(), DCM_PROTOCOL.lower()})


def filter_acceptable_values(
    configuration: Configuration, entry: Entry, name: str, *, values: Iterable[str], now: datetime
) -> Iterator[str]:
    """Yield those of *values* that are acceptable as the only value of the attribute *name* of *entry*.

    An attribute in the RDN of the entry has no acceptable values. *now* must have a time zone.
    """
    tree = configuration.tree
    known = tree.schema.attribute(name)
    naming = {kind.lower() for kind, _ in entry.dn.rdn.parts} if entry.dn.rdns else set()
    if known is None or known.name.lower() in naming:
        return
    rules = ValueRules(tree.schema, entry_exists=lambda dn: dn in tree)
    for value in values:
        octets = value.encode("utf-8", "surrogateescape")
        if any(finding.severity == "error" for finding in rules.find_problems(entry, known.name, (octets,))):
            continue
        if known.name.lower() in _CONTEXT_DEPENDENT and not _can_be_planned(
            configuration, entry, known.name, value=octets, now=now
        ):
            continue
        yield value


def _can_be_planned(configuration: Configuration, entry: Entry, name: str, *, value: bytes, now: datetime) -> bool:
    """Return whether the plan that sets *value* has no risks."""
    change = Modify(entry.dn, (Modification(Operation.REPLACE, name, (value,)),))
    try:
        plan = make_plan(configuration.tree, [DesiredChange(change)])
    except DcmcfgError:
        return False
    return not assess_plan_risks(plan, now, device="").risks


def complete_external_retrieve_titles(archive: Device, incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield (title, description) of the AEs of *archive* that can be the destination of external retrieves."""
    for ae in archive.network_aes:
        if ae.title.startswith(incomplete) and ae.title != "*" and not find_storage_problem(ae):
            yield ae.title, ae.entry.text(DICOM_DESCRIPTION) or "AE"
