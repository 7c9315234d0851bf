"""The registries that keep names unique, against what carries the names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dcmcfg.changes import Add, Delete
from dcmcfg.entry import Entry
from dcmcfg.lint.rule import Breach, LintRule
from dcmcfg.lint.survey import Survey
from dcmcfg.references.kinds import Kind

#: Never registered (LdapDicomConfiguration).
_WILDCARD = "*"


class Registry(NamedTuple):
    """A registry: the class of its container, that of its entries, and what kind has the names."""

    container: str
    entry: str
    kind: Kind


REGISTRIES = (
    Registry("dicomUniqueAETitlesRegistryRoot", "dicomUniqueAETitle", Kind.AE),
    Registry("hl7UniqueApplicationNamesRegistryRoot", "hl7UniqueApplicationName", Kind.HL7_APPLICATION),
    Registry("dcmUniqueWebAppNamesRegistryRoot", "dcmUniqueWebAppName", Kind.WEB_APP),
)


def _orphans(survey: Survey) -> Iterator[Breach]:
    for registry in REGISTRIES:
        carried = _carried(survey, registry.kind)
        for entry in _entries(survey, registry.entry):
            name = entry.text(registry.kind.value.attribute)
            if name is not None and name not in carried:
                message = f"no {registry.kind.value.word} has the name {name}"
                changes = (Delete(entry.dn),) if not survey.tree.children(entry.dn) else ()
                yield Breach(entry.dn, message, registry.kind.value.attribute, name.encode(), changes=changes)


def _missing(survey: Survey) -> Iterator[Breach]:
    for registry in REGISTRIES:
        container = next(iter(_entries(survey, registry.container)), None)
        if container is None:
            continue  # the archive makes it when it registers the first name
        attribute = registry.kind.value.attribute
        known = {entry.text(attribute) for entry in _entries(survey, registry.entry)}
        for name, entry in _carried(survey, registry.kind).items():
            if name not in known and name != _WILDCARD:
                dn = container.dn.child(attribute, name)
                added = Add(Entry.of(dn, {"objectClass": registry.entry, attribute: name}))
                changes = (added,) if dn not in survey.tree else ()
                yield Breach(entry.dn, f"{name} is not in the registry", attribute, name.encode(), changes=changes)


def _carried(survey: Survey, kind: Kind) -> dict[str, Entry]:
    """Return the names of *kind* that are in use, with the first entry that has each."""
    found: dict[str, Entry] = {}
    for entry in _entries(survey, kind.value.object_class):
        name = entry.text(kind.value.attribute)
        if name is not None:
            found.setdefault(name, entry)
    return found


def _entries(survey: Survey, object_class: str) -> Iterator[Entry]:
    return (entry for entry in survey.tree.ordered() if entry.is_a(object_class))


RULES = (
    LintRule(
        "registry-orphan",
        "warning",
        "A registered name is carried by an AE, HL7 application or web application.",
        "The name counts as taken, so adding an AE of that title fails (68, already exists). The default "
        "configurations of 5.31.0 to 5.32.0 came with such an entry, NEW_AET_A.",
        "Remove the registration.",
        "dcmcfg lint --fix --rule registry-orphan",
        _orphans,
        mends=True,
    ),
    LintRule(
        "registry-missing",
        "warning",
        "An AE title, HL7 application name or web application name is registered.",
        "Another tool may take the name a second time.",
        "Register it.",
        "dcmcfg lint --fix --rule registry-missing",
        _missing,
        mends=True,
    ),
)
