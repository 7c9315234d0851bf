"""The registries that keep names unique, against what carries the names."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.changes import Add, Delete
from dcmcfg.lint.context import Survey
from dcmcfg.lint.rule import Breach, LintRule
from dcmcfg.model.registries import REGISTRIES, WILDCARD


def _orphans(survey: Survey) -> Iterator[Breach]:
    for registry in REGISTRIES:
        carried = registry.carried(survey.tree.ordered())
        for entry in registry.registered(survey.tree):
            name = entry.text(registry.kind.value.attribute)
            if name is not None and name not in carried:
                message = f"no {registry.kind.value.word} has the name {name}"
                changes = (Delete(entry.dn),) if not survey.tree.children(entry.dn) else ()
                yield Breach(entry.dn, message, registry.kind.value.attribute, name.encode(), changes=changes)


def _missing(survey: Survey) -> Iterator[Breach]:
    for registry in REGISTRIES:
        container = registry.container_of(survey.tree)
        if container is None:
            continue  # the archive makes it when it registers the first name
        attribute = registry.kind.value.attribute
        known = {entry.text(attribute) for entry in registry.registered(survey.tree)}
        for name, entry in registry.carried(survey.tree.ordered()).items():
            if name not in known and name != WILDCARD:
                added = Add(registry.registration(container.dn, name))
                changes = (added,) if added.dn not in survey.tree else ()
                yield Breach(entry.dn, f"{name} is not in the registry", attribute, name.encode(), changes=changes)


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
