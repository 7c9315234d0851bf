"""Rules that compare the registries of unique names with the entries that have the names."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.changes import Add, Delete
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.model.registries import REGISTRIES, WILDCARD


def _find_registry_orphan(context: LintContext) -> Iterator[Violation]:
    for registry in REGISTRIES:
        carried_names = registry.index_names(context.tree.index.find_by_class(registry.kind.value.object_class))
        for entry in registry.find_entries(context.tree):
            name = entry.text(registry.kind.value.attribute)
            if name is not None and name not in carried_names:
                message = f"no {registry.kind.value.label} named {name} exists"
                # A server does not delete an entry that has children.
                changes = (Delete(entry.dn),) if not context.tree.children(entry.dn) else ()
                yield Violation(entry.dn, message, registry.kind.value.attribute, name.encode(), fix_changes=changes)


def _find_registry_missing(context: LintContext) -> Iterator[Violation]:
    for registry in REGISTRIES:
        container = registry.find_container(context.tree)
        if container is None:
            continue  # the archive creates the container when it registers the first name
        attribute = registry.kind.value.attribute
        known = {entry.text(attribute) for entry in registry.find_entries(context.tree)}
        carriers = context.tree.index.find_by_class(registry.kind.value.object_class)
        for name, entry in registry.index_names(carriers).items():
            if name not in known and name != WILDCARD:
                added = Add(registry.build_entry(container.dn, name))
                # An entry of another object class may already have this DN.
                changes = (added,) if added.dn not in context.tree else ()
                yield Violation(entry.dn, f"{name} is not registered", attribute, name.encode(), fix_changes=changes)


RULES = (
    LintRule(
        "registry-orphan",
        "warning",
        requirement="A registered name must belong to an AE, HL7 application or web application.",
        reason="A registered name is reserved, so nobody can add an AE with this title (LDAP result 68, already "
        "exists). The default configurations of 5.31.0 to 5.32.0 contained such a registration: NEW_AET_A.",
        fix="Remove the registration.",
        example_command="dcmcfg check --fix --rule registry-orphan",
        find_violations=_find_registry_orphan,
        is_auto_fixable=True,
    ),
    LintRule(
        "registry-missing",
        "warning",
        requirement="Every AE title, HL7 application name and web application name must be registered.",
        reason="If a name is not registered, another tool can use the name a second time.",
        fix="Register the name.",
        example_command="dcmcfg check --fix --rule registry-missing",
        find_violations=_find_registry_missing,
        is_auto_fixable=True,
    ),
)
