"""Compare an entry with its desired state by the rules of a schema, including missing secrets."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from dcmcfg.entry import Entry
from dcmcfg.model.tree import canonicalise_name
from dcmcfg.plan import hashed_passwords
from dcmcfg.plan.stored_form import substitute_stored_classes
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema_names import DCM_PROPERTY, DICOM_VENDOR_DATA, OBJECT_CLASS
from dcmcfg.secret_values import is_secret

#: The ZIP file of the archive's vendor, which exports without secrets omit too.
VENDOR_DATA = DICOM_VENDOR_DATA.lower()

_Values = tuple[bytes, ...]


class MissingSecretsPolicy(Enum):
    """The meaning of missing secrets or missing vendor data in a comparison."""

    #: They are deleted, like any other missing value.
    DELETE = "delete"
    #: If one side lacks them, they are unknown there and are not compared.
    IGNORE = "ignore"
    #: If the desired side lacks them, the current ones are kept.
    KEEP = "keep"


class EntryComparison:
    """A comparison of entries that records the attributes that it could not compare.

    ``not_compared`` has the names of attributes whose secrets one side lacks. For ``dcmProperty``, it has each secret
    line by its key (``dcmProperty mail.password``). Attributes in *ignore* (without options) are treated as equal.
    """

    def __init__(self, schema: Schema, *, missing_secrets: MissingSecretsPolicy, ignore: Collection[str] = ()) -> None:
        self._schema = schema
        self._missing_secrets = missing_secrets
        self._ignored = {self._base_name(name) for name in ignore}
        self.not_compared: dict[str, str] = {}

    def compute_target(self, before: Entry, after: Entry) -> Entry:
        """Return *before* with the values of *after*; *before* itself if both are equal by the rules.

        Equal values keep the spelling of *before*.
        """
        # Most entries of two trees are equal to the octet; this avoids the normalisation of all their values.
        if before.attributes == after.attributes:
            return before
        target = before
        names = {attribute.name.lower(): attribute.name for attribute in (*after.attributes, *before.attributes)}
        for name in names.values():
            old, new = before.values(name), after.values(name)
            if old != new and (values := self._values(name, old, new)) != old:
                target = target.with_values(name, values)
        return target

    def _values(self, name: str, old: _Values, new: _Values) -> _Values:
        """Return the values of *new*, in the spelling of *old* if they are equal; *old* itself without a change."""
        # The values of an attribute have no order (RFC 4511 §4.1.7).
        if set(old) == set(new) or (self._ignored and self._base_name(name) in self._ignored):
            return old
        match self._missing_secrets:
            case MissingSecretsPolicy.IGNORE:
                new = self._add_one_sided_secrets(name, old, new)
            case MissingSecretsPolicy.KEEP:
                new = self._add_retained_secrets(name, old, new)
            case MissingSecretsPolicy.DELETE:
                pass
        match self._base_name(name):
            case folded if folded == OBJECT_CLASS.lower():
                new = substitute_stored_classes(old, new, self._schema)
            case hashed_passwords.PASSWORD:
                new = hashed_passwords.substitute_stored_passwords(old, new)
            case _:
                pass
        current = {self._schema.normalise_value(name, value): value for value in old}
        desired = {self._schema.normalise_value(name, value): value for value in new}
        if desired.keys() == current.keys():
            return old
        # An equal value keeps its current spelling, so that the plan does not replace it.
        return tuple(current.get(normal, value) for normal, value in desired.items())

    def _add_one_sided_secrets(self, name: str, old: _Values, new: _Values) -> _Values:
        """Return *new* with the secrets and vendor data of *old*, if only one of the two has any.

        For a single-valued attribute, one side must have no value: a secret instead of another value is a difference.
        """
        old_secrets, new_secrets = self._select_unexported(name, old), self._select_unexported(name, new)
        if bool(old_secrets) == bool(new_secrets) or self._is_replaced(name, old, new):
            return new
        old_secrets, new_secrets = (
            self._remove_shared_keys(name, old_secrets, new),
            self._remove_shared_keys(name, new_secrets, old),
        )
        if not old_secrets and not new_secrets:
            return new
        self.not_compared.update(
            (label.lower(), label) for label in self._format_not_compared(name, (*old_secrets, *new_secrets))
        )
        return (*(value for value in new if value not in new_secrets), *old_secrets)

    def _format_not_compared(self, name: str, secrets: _Values) -> tuple[str, ...]:
        """Return *name*; for ``dcmProperty``, with the keys of *secrets*, because its other lines are compared."""
        if self._base_name(name) != DCM_PROPERTY.lower():
            return (name,)
        return tuple(f"{name} {value.partition(b'=')[0].decode('utf-8', 'replace')}" for value in secrets)

    def _add_retained_secrets(self, name: str, old: _Values, new: _Values) -> _Values:
        """Return *new* with the secrets and vendor data of *old* that *new* does not replace.

        A secret replaces the secrets of its attribute. A ``dcmProperty`` line replaces the line with the same key.
        """
        if self._is_replaced(name, old, new):
            return new
        if self._base_name(name) == DCM_PROPERTY.lower():
            return (*new, *self._remove_shared_keys(name, self._select_unexported(name, old), new))
        retained = () if self._select_unexported(name, new) else self._select_unexported(name, old)
        return (*new, *(value for value in retained if value not in new))

    def _remove_shared_keys(self, name: str, secrets: _Values, others: _Values) -> _Values:
        """Return *secrets* without the ``dcmProperty`` lines whose key *others* have too, secret or not."""
        if self._base_name(name) != DCM_PROPERTY.lower():
            return secrets
        # With two lines for one key, it would be up to the archive which of them counts.
        keys = {value.partition(b"=")[0] for value in others}
        return tuple(value for value in secrets if value.partition(b"=")[0] not in keys)

    def _is_replaced(self, name: str, old: _Values, new: _Values) -> bool:
        definition = self._schema.attribute(name)
        return definition is not None and definition.single_valued and bool(old) and bool(new)

    def _select_unexported(self, name: str, values: _Values) -> _Values:
        """Return those of *values* that an export without secrets omits."""
        if self._base_name(name) == VENDOR_DATA:
            return values
        return tuple(value for value in values if is_secret(name, value))

    def _base_name(self, name: str) -> str:
        return canonicalise_name(self._schema, name).partition(";")[0].lower()
