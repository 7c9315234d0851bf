"""What an entry has to hold to be another one's equal, by the rules of a schema."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from dcmcfg.entry import Entry
from dcmcfg.model.tree import canonical_name
from dcmcfg.plan import hashed_passwords
from dcmcfg.plan.stored_form import classes
from dcmcfg.schema.definitions import Schema
from dcmcfg.secret_values import is_secret

#: The archive's own ZIP file, which exports for reading leave out as they do secrets.
VENDOR_DATA = "dicomvendordata"

_Values = tuple[bytes, ...]


class Lacking(Enum):
    """What it means that secrets or vendor data are not there."""

    #: They are gone, as any other value.
    GONE = "gone"
    #: On whichever side: nothing is known of them there.
    UNKNOWN = "unknown"
    #: On the side that is wanted: nothing was said of them, so those that are held stay.
    UNSAID = "unsaid"


class Comparison:
    """How entries are compared; ``passed_over`` names the attributes that were not, for want of secrets on one side.

    Of ``dcmProperty`` it names each secret line by its key (``dcmProperty mail.password``).

    Attributes named in *ignore* (options do not matter) count as equal.
    """

    def __init__(self, schema: Schema, *, lacking: Lacking, ignore: Collection[str] = ()) -> None:
        self._schema = schema
        self._lacking = lacking
        self._ignored = {self._plain(name) for name in ignore}
        self.passed_over: dict[str, str] = {}

    def target(self, before: Entry, after: Entry) -> Entry:
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
        if set(old) == set(new) or (self._ignored and self._plain(name) in self._ignored):
            return old
        match self._lacking:
            case Lacking.UNKNOWN:
                new = self._with_what_one_side_lacks(name, old, new)
            case Lacking.UNSAID:
                new = self._with_what_stays(name, old, new)
            case Lacking.GONE:
                pass
        match self._plain(name):
            case "objectclass":
                new = classes(old, new, self._schema)
            case hashed_passwords.PASSWORD:
                new = hashed_passwords.as_held(old, new)
            case _:
                pass
        held = {self._schema.normal_value(name, value): value for value in old}
        wanted = {self._schema.normal_value(name, value): value for value in new}
        if wanted.keys() == held.keys():
            return old
        return tuple(held.get(normal, value) for normal, value in wanted.items())

    def _with_what_one_side_lacks(self, name: str, old: _Values, new: _Values) -> _Values:
        """Return *new* with the secrets and vendor data of *old*, if only one of the two has any.

        Of a single-valued attribute one side must lack the value itself: a secret in place of another value is a
        difference.
        """
        old_kept, new_kept = self._kept(name, old), self._kept(name, new)
        if bool(old_kept) == bool(new_kept) or self._is_replaced(name, old, new):
            return new
        old_kept, new_kept = self._of_other_keys(name, old_kept, new), self._of_other_keys(name, new_kept, old)
        if not old_kept and not new_kept:
            return new
        self.passed_over.update((told.lower(), told) for told in self._told(name, (*old_kept, *new_kept)))
        return (*(value for value in new if value not in new_kept), *old_kept)

    def _told(self, name: str, kept: _Values) -> tuple[str, ...]:
        """Return *name*, of ``dcmProperty`` with the key of each of *kept*: its other lines are compared."""
        if self._plain(name) != "dcmproperty":
            return (name,)
        return tuple(f"{name} {value.partition(b'=')[0].decode('utf-8', 'replace')}" for value in kept)

    def _with_what_stays(self, name: str, old: _Values, new: _Values) -> _Values:
        """Return *new* with the secrets and vendor data of *old* that nothing in *new* takes the place of.

        A secret takes the place of the secrets of its attribute; a ``dcmProperty`` line, of its own key's.
        """
        if self._is_replaced(name, old, new):
            return new
        if self._plain(name) == "dcmproperty":
            return (*new, *self._of_other_keys(name, self._kept(name, old), new))
        stays = () if self._kept(name, new) else self._kept(name, old)
        return (*new, *(value for value in stays if value not in new))

    def _of_other_keys(self, name: str, kept: _Values, others: _Values) -> _Values:
        """Return *kept* without the ``dcmProperty`` lines whose key *others* have, with a password in it or not."""
        if self._plain(name) != "dcmproperty":
            return kept
        keys = {value.partition(b"=")[0] for value in others}
        return tuple(value for value in kept if value.partition(b"=")[0] not in keys)

    def _is_replaced(self, name: str, old: _Values, new: _Values) -> bool:
        definition = self._schema.attribute(name)
        return definition is not None and definition.single_valued and bool(old) and bool(new)

    def _kept(self, name: str, values: _Values) -> _Values:
        """Return those of *values* that an export for reading leaves out."""
        if self._plain(name) == VENDOR_DATA:
            return values
        return tuple(value for value in values if is_secret(name, value))

    def _plain(self, name: str) -> str:
        return canonical_name(self._schema, name).partition(";")[0].lower()
