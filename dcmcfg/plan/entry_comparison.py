"""What an entry has to hold to be another one's equal, by the rules of a schema."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from dcmcfg.entry import Entry
from dcmcfg.model.tree import canonicalise_name
from dcmcfg.plan import hashed_passwords
from dcmcfg.plan.stored_form import substitute_stored_classes
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema_names import DCM_PROPERTY, OBJECT_CLASS
from dcmcfg.secret_values import is_secret

#: The archive's own ZIP file, which exports for reading leave out as they do secrets.
VENDOR_DATA = "dicomvendordata"

_Values = tuple[bytes, ...]


class MissingSecretsPolicy(Enum):
    """What it means that secrets or vendor data are not there."""

    #: They are gone, as any other value.
    DELETE = "delete"
    #: On whichever side: nothing is known of them there.
    IGNORE = "ignore"
    #: On the desired side: nothing was said of them, so the current ones stay.
    KEEP = "keep"


class EntryComparison:
    """How entries are compared; ``not_compared`` names the attributes that were not, for want of secrets on one side.

    Of ``dcmProperty`` it names each secret line by its key (``dcmProperty mail.password``).

    Attributes named in *ignore* (options do not matter) count as equal.
    """

    def __init__(self, schema: Schema, *, missing_secrets: MissingSecretsPolicy, ignore: Collection[str] = ()) -> None:
        self._schema = schema
        self._missing_secrets = missing_secrets
        self._ignored = {self._base_name(name) for name in ignore}
        self.not_compared: dict[str, str] = {}

    def compute_target(self, before: Entry, after: Entry) -> Entry:
        """Return *before* with the values of *after*; *before* itself when the two are equal by the rules.

        Values that are equal keep the spelling of *before*.
        """
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
        """Return the values of *new*, each in the spelling of *old* where it is held; *old* itself for no change."""
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
        return tuple(current.get(normal, value) for normal, value in desired.items())

    def _add_one_sided_secrets(self, name: str, old: _Values, new: _Values) -> _Values:
        """Return *new* with the secrets and vendor data of *old*, if only one of the two has any.

        Of a single-valued attribute one side must lack the value itself: a secret in place of another value is a
        difference.
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
        """Return *name*, of ``dcmProperty`` with the key of each of *secrets*: its other lines are compared."""
        if self._base_name(name) != DCM_PROPERTY.lower():
            return (name,)
        return tuple(f"{name} {value.partition(b'=')[0].decode('utf-8', 'replace')}" for value in secrets)

    def _add_retained_secrets(self, name: str, old: _Values, new: _Values) -> _Values:
        """Return *new* with the secrets and vendor data of *old* that nothing in *new* takes the place of.

        A secret takes the place of the secrets of its attribute; a ``dcmProperty`` line, of its own key's.
        """
        if self._is_replaced(name, old, new):
            return new
        if self._base_name(name) == DCM_PROPERTY.lower():
            return (*new, *self._remove_shared_keys(name, self._select_unexported(name, old), new))
        retained = () if self._select_unexported(name, new) else self._select_unexported(name, old)
        return (*new, *(value for value in retained if value not in new))

    def _remove_shared_keys(self, name: str, secrets: _Values, others: _Values) -> _Values:
        """Return *secrets* without the ``dcmProperty`` lines whose key *others* have, with a password in it or not."""
        if self._base_name(name) != DCM_PROPERTY.lower():
            return secrets
        keys = {value.partition(b"=")[0] for value in others}
        return tuple(value for value in secrets if value.partition(b"=")[0] not in keys)

    def _is_replaced(self, name: str, old: _Values, new: _Values) -> bool:
        definition = self._schema.attribute(name)
        return definition is not None and definition.single_valued and bool(old) and bool(new)

    def _select_unexported(self, name: str, values: _Values) -> _Values:
        """Return those of *values* that an export for reading leaves out."""
        if self._base_name(name) == VENDOR_DATA:
            return values
        return tuple(value for value in values if is_secret(name, value))

    def _base_name(self, name: str) -> str:
        return canonicalise_name(self._schema, name).partition(";")[0].lower()
