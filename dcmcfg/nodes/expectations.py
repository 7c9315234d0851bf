"""What shows from outside that a node has loaded a change: items of endpoints, ports, and association negotiation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum

from dcmcfg.changes import Modify, Rename
from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound
from dcmcfg.model.devices import DICOM, Configuration, Connection, Device, NetworkAE, find_enclosing_device
from dcmcfg.model.tree import Tree
from dcmcfg.nodes.endpoints import Endpoint, Shown, find_endpoint, read_field
from dcmcfg.plan.plan import Plan, PlanStep
from dcmcfg.schema_names import (
    DICOM_INSTALLED,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_PORT,
    DICOM_SOP_CLASS,
    OTHER_AE_TITLE,
)

#: An entry and one of its attributes (lower case) that a plan changes.
ChangedAttribute = tuple[NormalDN, str]
_RECEIVE_PDU_LENGTH = "dcmReceivePDULength"


class Match(Enum):
    """Whether what a node shows is the state that an expectation describes."""

    SHOWN = "shown"
    NOT_SHOWN = "not shown"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class EndpointExpectation:
    """The item ``name`` of the endpoint at ``path``: its field ``shown_key`` has the value ``shown``.

    Without ``shown_key``, the item itself is expected, or its absence if not ``is_present``. ``key`` identifies the
    item; without a ``key``, the endpoint answers with a single item. ``is_written_last``: the value is written after
    the whole plan, as a marker is.
    """

    path: str
    key: str
    name: str
    _: KW_ONLY
    shown_key: str = ""
    shown: Shown = None
    is_present: bool = True
    covered: frozenset[ChangedAttribute] = frozenset()
    is_written_last: bool = False

    @property
    def source(self) -> str:
        """The request that shows the value."""
        return f"GET {self.path}"

    def match(self, content: object) -> Match:
        """Return whether *content*, the JSON of the endpoint, shows the expected value; None stands for no answer.

        Content of another form than that of the endpoint shows nothing.
        """
        if not isinstance(content, list if self.key else dict):
            return Match.UNKNOWN
        item = self._find_item(content)
        if not self.shown_key:
            return Match.SHOWN if (item is not None) == self.is_present else Match.NOT_SHOWN
        if item is None:
            return Match.NOT_SHOWN
        found = read_field(item, self.shown_key)
        if isinstance(found, str) and isinstance(self.shown, frozenset):
            # In earlier releases, some attributes had a single value.
            found = frozenset({found})
        return Match.SHOWN if found == self.shown else Match.NOT_SHOWN

    @property
    def expects_absence(self) -> bool:
        """Whether the expected item or field is absent: an archive that never shows it looks the same."""
        return self.shown is None if self.shown_key else not self.is_present

    def describe(self) -> str:
        """Return the expectation as a phrase: ``GET /aets shows DCM4CHEE``."""
        if not self.shown_key:
            return f"{self.source} {'shows' if self.is_present else 'does not show'} {self.name}"
        return f"{self.source} shows the new {self.shown_key} of {self.name}"

    def _find_item(self, content: object) -> object | None:
        if not isinstance(content, list):
            return content
        return next((each for each in content if isinstance(each, dict) and each.get(self.key) == self.name), None)


@dataclass(frozen=True)
class PortExpectation:
    """A TCP port of the archive that is open, or closed."""

    host: str
    port: int
    is_open: bool
    covered: frozenset[ChangedAttribute] = frozenset()

    @property
    def source(self) -> str:
        """The port, as a source."""
        return f"port {self.port}"

    def match(self, is_open: bool | None) -> Match:
        """Return whether the port is in the expected state; None stands for an unknown state."""
        if is_open is None:
            return Match.UNKNOWN
        return Match.SHOWN if is_open == self.is_open else Match.NOT_SHOWN

    def describe(self) -> str:
        """Return the expectation as a phrase."""
        return f"port {self.port} is {'open' if self.is_open else 'closed'}"


class AssociationFact(Enum):
    """A part of the answer to an association request."""

    CALLED_TITLE = "called AE title"
    MAXIMUM_LENGTH = "maximum length"
    CONTEXT = "presentation context"


@dataclass(frozen=True, kw_only=True)
class AssociationExpectation:
    """The answer to an association request to ``called`` at ``host``:``port``.

    - ``CALLED_TITLE``: the archive recognises the title (``expected`` 1), or rejects it (0).
    - ``MAXIMUM_LENGTH``: the archive announces this maximum length.
    - ``CONTEXT``: the archive accepts ``sop_class`` (1), or does not (0).
    """

    fact: AssociationFact
    host: str
    port: int
    called: str
    expected: int
    sop_class: str = ""
    transfer_syntaxes: tuple[str, ...] = ()
    covered: frozenset[ChangedAttribute] = frozenset()

    @property
    def source(self) -> str:
        """The request that shows the value."""
        return f"association to {self.called}"

    def match(self, found: int | None) -> Match:
        """Return whether *found* is the expected answer; None stands for an unknown answer."""
        if found is None:
            return Match.UNKNOWN
        return Match.SHOWN if found == self.expected else Match.NOT_SHOWN

    def describe(self) -> str:
        """Return the expectation as a phrase."""
        match self.fact:
            case AssociationFact.CALLED_TITLE:
                return f"an association to {self.called} is {'possible' if self.expected else 'rejected'}"
            case AssociationFact.MAXIMUM_LENGTH:
                return f"in an association, {self.called} announces the new maximum PDU length"
            case AssociationFact.CONTEXT:
                state = "accepts" if self.expected else "does not accept"
                return f"an association to {self.called} {state} {self.sop_class}"


Expectation = EndpointExpectation | PortExpectation | AssociationExpectation


@dataclass(frozen=True)
class Expectations:
    """What must show after a reload of the device that a plan changes.

    ``all`` are the expectations, ``changed`` the attributes that the plan changes, on the archive's device and on other
    devices, which the archive may have cached. ``changed_last`` are those of its last step at the device.
    """

    all: tuple[Expectation, ...] = ()
    changed: frozenset[ChangedAttribute] = field(default_factory=frozenset)
    changed_last: frozenset[ChangedAttribute] = field(default_factory=frozenset)

    @property
    def covers_all_changes(self) -> bool:
        """Whether the expectations together show every changed attribute."""
        return self.changed <= frozenset[ChangedAttribute]().union(*(each.covered for each in self.all))

    def shows_end_of_plan(self, expectation: Expectation) -> bool:
        """Return whether *expectation* shows a value of the last step, or of a marker.

        Replicas apply the steps in their order, so a server that has the last step has all of them.
        """
        if isinstance(expectation, EndpointExpectation) and expectation.is_written_last:
            return True
        return not self.changed_last or bool(expectation.covered & self.changed_last)


def derive_expectations(plan: Plan, device_name: str) -> Expectations:
    """Return what an archive of the device *device_name* shows once it has loaded *plan*; empty for other devices."""
    before, after = (_find_device(tree, device_name) for tree in (plan.before, plan.after))
    if before is None or after is None:
        return Expectations()
    changed = _Changes(plan, before, after)
    return Expectations(
        (
            *_derive_endpoint_expectations(changed),
            *_derive_port_expectations(changed),
            *_derive_association_expectations(changed),
        ),
        changed.attributes,
        changed.attributes_of_last_step,
    )


def derive_shown_values(tree: Tree, device_name: str) -> tuple[EndpointExpectation, ...]:
    """Return what the endpoints show of the device *device_name* once an archive has loaded *tree*; empty without it.

    Only values in *tree* are expected: a value that was removed, and that the archive still shows, is not noticed.
    """
    device = _find_device(tree, device_name)
    if device is None:
        return ()
    base = tree.key(device.entry.dn)
    return tuple(
        expectation
        for key, entry in tree.entries.items()
        if key[1:] == base and (endpoint := find_endpoint(entry)) is not None
        for expectation in _expect_item(endpoint, key, None, entry)
    )


def _find_device(tree: Tree, name: str) -> Device | None:
    try:
        return Configuration(tree).get_device(name)
    except NotFound:
        return None


class _Changes:
    """The entries of a device that a plan changes, and their attributes."""

    def __init__(self, plan: Plan, before: Device, after: Device) -> None:
        self._plan, self.before, self.after = plan, before, after
        self._key = plan.after.key(after.entry.dn)
        keys = dict.fromkeys(plan.after.key(dn) for step in plan.steps for dn in _list_names(step))
        self.keys = tuple(each for each in keys if each[len(each) - len(self._key) :] == self._key)
        # Entries outside the devices, such as registered AE titles, are not loaded.
        self.attributes = frozenset(
            (key, name)
            for key in keys
            if find_enclosing_device(key) is not None
            for name in _list_differing_attributes(*self.get_entries(key))
        )

    @property
    def attributes_of_last_step(self) -> frozenset[ChangedAttribute]:
        """The changed attributes of the last step at the device; all of the entry, unless the step modifies it."""
        for step in reversed(self._plan.steps):
            keys = {self._plan.after.key(dn) for dn in _list_names(step)} & set(self.keys)
            if not keys:
                continue
            found = {each for each in self.attributes if each[0] in keys}
            if isinstance(step.change, Modify):
                names = {each.name.lower() for each in step.change.modifications}
                found = {each for each in found if each[1] in names}
            return frozenset(found)
        return frozenset()

    def get_entries(self, key: NormalDN) -> tuple[Entry | None, Entry | None]:
        """Return the entry *key* before and after the plan."""
        return self.before.tree.entries.get(key), self.after.tree.entries.get(key)

    def iterate_children(self) -> Iterator[tuple[NormalDN, Entry | None, Entry | None]]:
        """Yield key, entry before and entry after of each changed entry directly below the device."""
        for key in self.keys:
            if len(key) == len(self._key) + 1:
                yield key, *self.get_entries(key)


def _list_names(step: PlanStep) -> tuple[DN, ...]:
    change = step.change
    return (change.dn, change.new_dn) if isinstance(change, Rename) else (change.dn,)


def _list_differing_attributes(before: Entry | None, after: Entry | None) -> Iterator[str]:
    names = {each.name.lower() for entry in (before, after) if entry is not None for each in entry.attributes}
    for name in names:
        if (before.values(name) if before else ()) != (after.values(name) if after else ()):
            yield name


def _derive_endpoint_expectations(changed: _Changes) -> Iterator[EndpointExpectation]:
    for key, before, after in changed.iterate_children():
        entry = after or before
        endpoint = None if entry is None else find_endpoint(entry)
        if entry is not None and endpoint is not None:
            yield from _expect_item(endpoint, key, before, after)


def _expect_item(
    endpoint: Endpoint, key: NormalDN, before: Entry | None, after: Entry | None
) -> Iterator[EndpointExpectation]:
    """Yield the expectations for the entry *key*, an item of *endpoint*."""
    was_listed = before is not None and endpoint.is_listed(before)
    is_listed = after is not None and endpoint.is_listed(after)
    if was_listed is None or is_listed is None:
        return
    entry = after if after is not None and is_listed else before
    if entry is None or not (was_listed or is_listed):
        return
    path, name = endpoint.get_path(entry), entry.text(endpoint.name_attribute) or ""
    if was_listed != is_listed and endpoint.key:
        # A removed entry has no attributes left that could differ.
        covered = _list_differing_attributes(before, after) if after is None else (endpoint.name_attribute.lower(),)
        yield EndpointExpectation(
            path, endpoint.key, name, is_present=is_listed, covered=frozenset((key, each) for each in covered)
        )
    if not is_listed or after is None:
        return
    for shown_field in endpoint.fields:
        old = None if before is None else shown_field.show(before.texts(shown_field.attribute))
        new = shown_field.show(after.texts(shown_field.attribute))
        if old == new or frozenset() in (old, new):
            continue
        yield EndpointExpectation(
            path,
            endpoint.key,
            name,
            shown_key=shown_field.key,
            shown=new,
            covered=frozenset({(key, shown_field.attribute.lower())}),
        )


def _derive_port_expectations(changed: _Changes) -> Iterator[PortExpectation]:
    before, after = _list_ports(changed.before), _list_ports(changed.after)
    for port in sorted(before.keys() | after.keys()):
        if (port in before) != (port in after):
            connection = after.get(port) or before[port]
            key = changed.after.tree.key(connection.dn)
            covered = frozenset({(key, DICOM_PORT.lower()), (key, DICOM_INSTALLED.lower())}) & changed.attributes
            yield PortExpectation(connection.host, port, port in after, covered)


def _list_ports(device: Device) -> Mapping[int, Connection]:
    return {each.port: each for each in device.connections if each.port and each.installed and each.protocol == DICOM}


def _derive_association_expectations(changed: _Changes) -> Iterator[AssociationExpectation]:
    yield from _expect_other_titles(changed)
    yield from _expect_maximum_lengths(changed)
    yield from _expect_contexts(changed)


def _find_address(ae: NetworkAE) -> Connection | None:
    """Return the plain connection on which *ae* listens, or None."""
    return ae.find_listening_connection() if ae.installed else None


def _expect_other_titles(changed: _Changes) -> Iterator[AssociationExpectation]:
    old = {title for ae in changed.before.network_aes for title in (ae.title, *ae.other_titles)}
    for ae in changed.after.network_aes:
        address = _find_address(ae)
        for title in ae.other_titles:
            if title not in old and "*" not in old and address is not None and address.port:
                key = changed.after.tree.key(ae.entry.dn)
                yield AssociationExpectation(
                    fact=AssociationFact.CALLED_TITLE,
                    host=address.host,
                    port=address.port,
                    called=title,
                    expected=1,
                    covered=frozenset({(key, OTHER_AE_TITLE.lower())}),
                )


def _expect_maximum_lengths(changed: _Changes) -> Iterator[AssociationExpectation]:
    for key, before, after in changed.iterate_children():
        if after is None or before is None or not after.is_a(DICOM_NETWORK_CONNECTION_OBJECT_CLASS):
            continue
        old, new = before.text(_RECEIVE_PDU_LENGTH), after.text(_RECEIVE_PDU_LENGTH)
        if old == new or new is None or not new.isdecimal():
            continue
        for ae in changed.after.network_aes:
            address = _find_address(ae)
            if address is not None and address.port and changed.after.tree.key(address.dn) == key:
                yield AssociationExpectation(
                    fact=AssociationFact.MAXIMUM_LENGTH,
                    host=address.host,
                    port=address.port,
                    called=ae.title,
                    expected=int(new),
                    covered=frozenset({(key, _RECEIVE_PDU_LENGTH.lower())}),
                )
                break


def _expect_contexts(changed: _Changes) -> Iterator[AssociationExpectation]:
    """Yield an expectation for each SOP class that an AE accepts as SCP since the plan, or no longer accepts."""
    old_aes = {each.title: each for each in changed.before.network_aes}
    for ae in changed.after.network_aes:
        address, old = _find_address(ae), old_aes.get(ae.title)
        if old is None or address is None or not address.port:
            continue
        before, after = old.transfer_syntaxes["SCP"], ae.transfer_syntaxes["SCP"]
        # Without any SCP capability, the archive accepts every SOP class that it implements.
        if before == after or not before or not after:
            continue
        for sop_class in sorted(before.keys() ^ after.keys()):
            syntaxes = (after.get(sop_class) or before[sop_class]) - {"*"}
            yield AssociationExpectation(
                fact=AssociationFact.CONTEXT,
                host=address.host,
                port=address.port,
                called=ae.title,
                expected=int(sop_class in after),
                sop_class=sop_class,
                transfer_syntaxes=tuple(sorted(syntaxes)),
                covered=_cover_capability(changed, ae, sop_class),
            )


def _cover_capability(changed: _Changes, ae: NetworkAE, sop_class: str) -> frozenset[ChangedAttribute]:
    ae_key = changed.after.tree.key(ae.entry.dn)
    keys = {
        key
        for key in changed.keys
        for entry in changed.get_entries(key)
        if key[1:] == ae_key and entry is not None and entry.text(DICOM_SOP_CLASS) == sop_class
    }
    return frozenset((key, name) for key, name in changed.attributes if key in keys)
