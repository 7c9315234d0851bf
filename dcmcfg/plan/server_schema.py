"""Check the entries that a plan writes against the directory server's own schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from dcmcfg.changes import Add
from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotApply
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import ChangesDoNotApply, Plan, PlanStep, ValueRefused, add_location
from dcmcfg.schema.definitions import ObjectClass, Schema
from dcmcfg.schema.findings import (
    ATTRIBUTE_NOT_ALLOWED,
    MISSING_ATTRIBUTE,
    SINGLE_VALUED,
    UNKNOWN_ATTRIBUTE,
    UNKNOWN_CLASS,
    EntryFinding,
    SourceLocation,
)
from dcmcfg.schema.schema_files import RELEASE, describe_schema_update, find_schema_file
from dcmcfg.schema.structure import StructureChecker, add_superiors, check_structure
from dcmcfg.schema_names import OBJECT_CLASS
from dcmcfg.suggestions import ATTRIBUTE_SIMILARITY, suggest_names

#: The name of the override with which the server decides about entries that its published schema seems to refuse.
SERVER_SCHEMA = "server-schema"
#: Rule → the LDAP result of a server for a violation (RFC 4511 appendix A.1); slapd returns 21 for an unknown class.
_RESULTS = {
    UNKNOWN_ATTRIBUTE: 17,
    UNKNOWN_CLASS: 21,
    SINGLE_VALUED: 19,
    MISSING_ATTRIBUTE: 65,
    ATTRIBUTE_NOT_ALLOWED: 65,
}
_MAX_LISTED = 5
_MAX_NAME_LENGTH = 80

#: The object classes of an entry, and its attribute names, with ``*`` appended for attributes with several values.
_Classes = frozenset[str]
_AttributeNames = frozenset[str]

#: (location of a record, attribute, value or None) → the location of the value in the record.
LocateValue = Callable[[SourceLocation, str, bytes | None], SourceLocation]


class ServerSchemaRules:
    """The rules of the server's own schema, which may be older or newer than the bundled one.

    The server's schema is read only if necessary, because entries of *tree* prove that the server accepts their
    attributes. *read_schema* is called once (it returns None if the server shows no schema), when a step writes an
    attribute with a class, a second value, or a new entry with fewer attributes than any proven one. *locate* finds the
    line of a refused value in a file.
    """

    def __init__(
        self,
        tree: Tree,
        read_schema: Callable[[], Schema | None],
        locate: LocateValue = lambda location, _name, _value: location,
    ) -> None:
        self._tree = tree
        self._read_schema = read_schema
        self._locate = locate
        self._structures = StructureChecker(tree.schema)
        self._allowed_cache: dict[tuple[_Classes, _AttributeNames], bool] = {}
        self._sufficient_cache: dict[tuple[_Classes, _AttributeNames], bool] = {}

    @property
    def is_schema_read(self) -> bool:
        """Whether the server's own schema was read, so that the bundled one is not needed."""
        # A cached property keeps its value in ``__dict__``; its normal use would read the schema.
        return "_schema" in self.__dict__ and self._schema is not None

    def check_step(self, step: PlanStep) -> DoesNotApply | None:
        """Return the reason why the server would refuse *step*; None if it accepts *step* or its schema is unknown."""
        after = step.after
        if after is None or (self._is_proven_by_tree(step, after) and not self._structures.find_problems(after)):
            return None
        schema = self._schema
        if schema is None or not (found := self._find_problems(after)):
            return None
        # Violations that the entry had before the step are not caused by the step.
        known = set(map(_build_key, self._find_problems(step.before))) if step.before is not None else ()
        found = [finding for finding in found if _build_key(finding) not in known]
        if not found:
            return None
        refusal = self._build_refusal(schema, after, found)
        first = found[0]
        if step.location is not None and first.attribute:
            refusal.location = self._locate(step.location, first.attribute, first.value)
        return refusal

    def _find_problems(self, entry: Entry) -> list[EntryFinding]:
        """Return the violations of the server's schema by *entry*."""
        found = list(self._server_structures.find_problems(entry))
        for attribute in entry.attributes:
            known = self._server.attribute(attribute.name) if len(attribute.values) > 1 else None
            if known is not None and known.single_valued:
                found.append(EntryFinding(SINGLE_VALUED, entry.dn, attribute.name, ""))
        return found

    @cached_property
    def _schema(self) -> Schema | None:
        published = self._read_schema()
        # A schema without object classes would refuse every entry.
        return published if published is not None and published.object_classes else None

    @cached_property
    def _server_structures(self) -> StructureChecker:
        return StructureChecker(self._server)

    @property
    def _server(self) -> Schema:
        """The server's schema; used only if it is known."""
        return self._schema or self._tree.schema

    def _is_proven_by_tree(self, step: PlanStep, after: Entry) -> bool:
        """Return whether entries of the tree prove that the server accepts the additions of *step*."""
        classes, names = _describe_shape(after)
        added_names = names
        if step.before is not None:
            classes_before, names_before = _describe_shape(step.before)
            added_names = names - names_before if classes_before == classes else names
        return self._are_allowed(classes, added_names) and (
            not isinstance(step.change, Add) or self._has_required(classes, names)
        )

    def _are_allowed(self, classes: _Classes, names: _AttributeNames) -> bool:
        """Return whether entries of the tree prove that each of *names* is allowed with *classes*."""
        key = (classes, names)
        if key not in self._allowed_cache:
            self._allowed_cache[key] = all(
                any(
                    # Further classes allow further attributes, so a proof with fewer classes is valid too.
                    entry_classes <= classes and name in entry_names
                    for entry_classes, entry_names in self._merged_shapes
                )
                for name in names
            )
        return self._allowed_cache[key]

    def _has_required(self, classes: _Classes, names: _AttributeNames) -> bool:
        """Return whether an entry with the same *classes* has only *names*, which proves that they are sufficient."""
        key = (classes, names)
        if key not in self._sufficient_cache:
            self._sufficient_cache[key] = any(
                # Further classes may require further attributes, so only equal classes prove this.
                entry_classes == classes and entry_names <= names
                for entry_classes, entry_names in self._entry_shapes
            )
        return self._sufficient_cache[key]

    @cached_property
    def _entry_shapes(self) -> frozenset[tuple[_Classes, _AttributeNames]]:
        return frozenset(map(_describe_shape, self._tree.entries.values()))

    @cached_property
    def _merged_shapes(self) -> tuple[tuple[_Classes, _AttributeNames], ...]:
        """The sets of classes in the tree, each with all attributes of entries with exactly these classes."""
        found: dict[_Classes, set[str]] = {}
        for classes, names in self._entry_shapes:
            found.setdefault(classes, set()).update(names)
        return tuple((classes, frozenset(names)) for classes, names in found.items())

    def _build_refusal(self, schema: Schema, entry: Entry, found: list[EntryFinding]) -> ValueRefused:
        reasons = [_Reason.from_finding(schema, self._tree.schema, entry, finding) for finding in found]
        messages = "; ".join(each.message for each in reasons[:_MAX_LISTED])
        more = f"; and {len(reasons) - _MAX_LISTED} more" if len(reasons) > _MAX_LISTED else ""
        # A schema update is suggested only if it would solve all the problems.
        files = [each.file for each in reasons]
        next_step = (
            describe_schema_update(" and ".join(dict.fromkeys(files))) if all(files) else reasons[files.index("")].fix
        )
        next_step += f"; to let the server decide: --force-{SERVER_SCHEMA}"
        return ValueRefused(
            messages + more, subject=str(entry.dn), next_step=next_step, result_code=_RESULTS[found[0].rule]
        )


def require_accepted(plan: Plan, rules: ServerSchemaRules) -> None:
    """Raise :class:`DoesNotApply` or :class:`ChangesDoNotApply` with all steps of *plan* that *rules* refuse."""
    refused = [
        add_location(problem, step.location) for step in plan.steps if (problem := rules.check_step(step)) is not None
    ]
    if len(refused) == 1:
        raise refused[0]
    if refused:
        raise ChangesDoNotApply(refused, len(plan.steps))


def require_newer_schema(plan: Plan, rules: ServerSchemaRules, next_step: str) -> None:
    """Raise :class:`DoesNotApply` with *next_step* if *rules* refuse steps of *plan*, which needs a newer schema."""
    refused = [problem for step in plan.steps if (problem := rules.check_step(step)) is not None]
    if not refused:
        return
    more = len(refused) - _MAX_LISTED
    raise DoesNotApply(
        f"the server's schema does not allow {len(refused)} of {len(plan.steps)} changes of the plan",
        next_step=next_step,
        result_code=refused[0].result_code,
        details=(
            *(f"{each.subject}: {each.message}" for each in refused[:_MAX_LISTED]),
            *((f"and {more} more",) if more > 0 else ()),
        ),
    )


@dataclass(frozen=True)
class _Reason:
    """A reason to refuse an entry, with the schema ``file`` whose newer release allows it, or else the ``fix``."""

    message: str
    file: str
    fix: str

    @staticmethod
    def from_finding(server: Schema, bundled: Schema, entry: Entry, finding: EntryFinding) -> _Reason:
        name = finding.attribute
        match finding.rule:
            case rule if rule is UNKNOWN_ATTRIBUTE:
                attribute = bundled.attribute(name)
                return _build_unknown_reason(
                    "attribute", name, attribute.oid if attribute else None, server=server, bundled=bundled
                )
            case rule if rule is UNKNOWN_CLASS:
                name = (finding.value or b"").decode("utf-8", "replace")
                known = bundled.object_class(name)
                return _build_unknown_reason(
                    "object class", name, known.oid if known else None, server=server, bundled=bundled
                )
            case rule if rule is ATTRIBUTE_NOT_ALLOWED:
                message = f"according to the server's schema, no object class of the entry allows {name}"
                allowing = _find_allowing_class(bundled, entry, name)
                fix = f"remove {name}, or add an object class that allows this attribute (dcmcfg explain {name})"
                return _Reason(message, find_schema_file(allowing.oid) if allowing else "", fix)
            case rule if rule is SINGLE_VALUED:
                attribute = bundled.attribute(name)
                is_relaxed = attribute is not None and not attribute.single_valued
                message = f"according to the server's schema, {name} is single-valued"
                return _Reason(
                    message,
                    find_schema_file(attribute.oid) if attribute and is_relaxed else "",
                    f"give {name} only one value",
                )
            case _:
                message = f"according to the server's schema, {finding.message}"
                return _Reason(
                    message, _find_relaxed_schema_file(bundled, entry, name), f"add {name or 'an objectClass'}"
                )


def _build_unknown_reason(word: str, name: str, oid: str | None, *, server: Schema, bundled: Schema) -> _Reason:
    shown = name if len(name) <= _MAX_NAME_LENGTH else f"{name[:_MAX_NAME_LENGTH]}…"
    fix = f"load a schema that defines {shown}"
    if oid is not None:
        return _Reason(f"the server's schema does not define the {word} {shown}", find_schema_file(oid), fix)
    similar = _suggest_names(word, name[:_MAX_NAME_LENGTH], server, bundled)
    message = f"the server's schema and the schema of {RELEASE} do not define the {word} {shown}"
    return _Reason(message + (f"; did you mean {similar}?" if similar else ""), "", f"correct the name, or {fix}")


@lru_cache(maxsize=256)
def _suggest_names(word: str, name: str, *schemas: Schema) -> str:
    """Return the names of attributes, or of object classes, that are similar to *name*."""
    is_class = word != "attribute"
    found = (each.name for schema in schemas for each in (schema.object_classes if is_class else schema.attributes))
    return ", ".join(suggest_names(name, dict.fromkeys(found), min_similarity=ATTRIBUTE_SIMILARITY))


def _find_allowing_class(schema: Schema, entry: Entry, name: str) -> ObjectClass | None:
    """Return the class of *entry* that allows the attribute *name* by *schema*, or None."""
    known = schema.attribute(name)
    lower_name = known.name.lower() if known is not None else name.lower()
    classes = (schema.object_class(each) for each in entry.texts(OBJECT_CLASS))
    entry_classes = add_superiors(schema, (each for each in classes if each is not None))
    return next(
        (each for each in entry_classes if lower_name in {may.lower() for may in (*each.must, *each.may)}), None
    )


def _find_relaxed_schema_file(schema: Schema, entry: Entry, name: str) -> str:
    """Return the schema file in which newer classes of *entry* do not require *name*; empty if they require it too."""
    if not name or any(each.attribute.lower() == name.lower() for each in check_structure(schema, entry)):
        return ""
    classes = (schema.object_class(each) for each in entry.texts(OBJECT_CLASS))
    files = (find_schema_file(each.oid) for each in classes if each is not None)
    return next((file for file in files if file), "")


def _build_key(finding: EntryFinding) -> tuple[str, str, bytes | None]:
    return finding.rule.name, finding.attribute.lower(), finding.value


def _describe_shape(entry: Entry) -> tuple[_Classes, _AttributeNames]:
    names: set[str] = set()
    for attribute in entry.attributes:
        base_name = attribute.name.partition(";")[0].lower()
        names.add(base_name)
        if len(attribute.values) > 1:
            names.add(f"{base_name}*")
    return frozenset(name.lower() for name in entry.texts(OBJECT_CLASS)), frozenset(names)
