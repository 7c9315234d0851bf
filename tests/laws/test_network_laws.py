"""What adding, copying and removing keep: what is removed again leaves no trace, and lint finds nothing new."""

from __future__ import annotations

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.edits.capabilities import copy_capabilities
from dcmcfg.edits.connection_settings import ConnectionSettings, find_connection
from dcmcfg.edits.connections import add_connection, remove_connection
from dcmcfg.edits.devices import CloneNames, clone_device, remove_device
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.network_ae import NewNetworkAE, add_network_ae
from dcmcfg.edits.removal import remove_network_ae
from dcmcfg.edits.transfer_capability import TransferCapability
from dcmcfg.errors import DcmcfgError
from dcmcfg.lint.linter import lint
from dcmcfg.model.capabilities import find_missing_capabilities
from dcmcfg.model.devices import Configuration
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.schema.findings import EntryFinding
from tests.lint.breaking import NOW, valid_tree

DEVICES = ("storescp", "workstation", "dcm4chee-arc")
#: Titles of the default repertoire, special ones and those that differ from others in case among them.
TITLES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=16) | st.sampled_from(
    ["WS1", "ws1", "A,B", 'A"+', "#1", "A;B", "A<B>", "A=B", "A/B", " X", "*", "A(", "DCM4CHEE", "StoreSCP"]
)
HOSTS = st.sampled_from(["localhost", "127.0.0.1", "ws1.example.org", "::1", "LOCALHOST", "a_b"])
PORTS = st.sampled_from([104, 11112, 11119, 65535])
NAMES = st.none() | st.sampled_from([*DEVICES, "new", "STORESCP", "a b", "a=b", "ä", "a,b"])
CAPABILITIES = st.lists(
    st.builds(
        TransferCapability,
        st.sampled_from(["CT Image Storage SCP", "a,b", "#x"]),
        st.just("1.2.840.10008.5.1.4.1.1.2"),
        st.just("SCP"),
        st.just(("1.2.840.10008.1.2",)),
    ),
    max_size=1,
).map(tuple)


@st.composite
def new_aes(draw: st.DrawFn) -> NewNetworkAE | None:
    """What can be wanted of a new AE, or None where the title cannot be one."""
    try:
        return NewNetworkAE(
            draw(TITLES),
            draw(HOSTS),
            draw(PORTS),
            device=draw(NAMES),
            cipher_suites=draw(st.sampled_from([(), ("TLS_RSA_WITH_AES_128_CBC_SHA",)])),
            connection=draw(st.none() | st.sampled_from(["dicom", "dicom-3", "a b"])),
            description=draw(st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)),
            capabilities=draw(CAPABILITIES),
        )
    except DcmcfgError:
        return None


def after(tree: Tree, edit: Edit) -> Tree:
    return make_plan(tree, [DesiredChange(change) for change in edit.changes]).after


def errors(tree: Tree) -> set[tuple[str, str, str]]:
    return {_parse_reference_key(each) for each in lint(tree, NOW) if each.severity == "error"}


def _parse_reference_key(found: EntryFinding) -> tuple[str, str, str]:
    return found.rule.name, str(found.dn), found.attribute


@cache
def errors_of_valid_tree() -> frozenset[tuple[str, str, str]]:
    return frozenset(errors(valid_tree()))


@settings(max_examples=80, deadline=None)
@given(new_aes())
def test_an_ae_that_is_added_and_removed_leaves_the_identical_tree(new: NewNetworkAE | None) -> None:
    if new is None:
        return
    configuration = Configuration(valid_tree())
    try:
        edit = add_network_ae(configuration, new)
    except DcmcfgError:
        return
    there = after(valid_tree(), edit)
    ae = Configuration(there).find_network_ae(new.title)
    assert ae is not None
    connection = ae.find_listening_connection(tls=bool(new.cipher_suites))
    assert connection is not None
    assert (connection.host.casefold(), connection.port) == (new.host.casefold(), new.port)
    existing = [entry for entry in valid_tree().sorted_entries() if there.get(entry.dn) != entry]
    assert existing == [], "nothing that was there is changed"
    assert make_plan(there, [DesiredChange(c) for c in add_network_ae(Configuration(there), new).changes]).steps == ()
    assert after(there, remove_network_ae(ae, keep_connection=False)) == valid_tree()


@settings(max_examples=30, deadline=None)
@given(new_aes())
def test_an_ae_that_is_added_brings_no_error_of_lint_that_it_does_not_warn_of(new: NewNetworkAE | None) -> None:
    try:
        edit = add_network_ae(Configuration(valid_tree()), new) if new is not None else Edit(())
    except DcmcfgError:
        return
    warned = any("has no dcmObjectStorageID" in warning for warning in edit.warnings)
    found = errors(after(valid_tree(), edit)) - errors_of_valid_tree()
    assert {rule for rule, _, _ in found} <= ({"no-object-storage"} if warned else set())


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(["dcm4chee-arc", "storescp", "longterm"]), st.sampled_from(["copy", "a b", "ä"]))
def test_a_copy_brings_nothing_new_to_lint_and_leaves_no_trace(name: str, new: str) -> None:
    configuration = Configuration(valid_tree())
    wanted = CloneNames(
        new, {EntityKind.AE: {ae.title: ae.title[:14] + "_2" for ae in configuration.get_device(name).network_aes}}, "2"
    )
    there = after(valid_tree(), clone_device(configuration, configuration.get_device(name), wanted))
    assert errors(there) <= errors_of_valid_tree()
    assert {each.rule.name for each in lint(there, NOW)} <= {each.rule.name for each in lint(valid_tree(), NOW)}
    assert after(there, remove_device(Configuration(there).get_device(new))) == valid_tree()


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(DEVICES),
    st.sampled_from(["spare", "a b", "ä", "dicom", "x=y"]),
    HOSTS,
    st.none() | PORTS,
    st.none() | st.sampled_from(["DICOM", "HL7", "HTTP"]),
)
def test_a_connection_that_is_added_and_removed_leaves_the_identical_tree(
    device: str, name: str, host: str, port: int | None, protocol: str | None
) -> None:
    configuration = Configuration(valid_tree())
    try:
        edit = add_connection(configuration.get_device(device), name, ConnectionSettings(host, port, protocol=protocol))
    except DcmcfgError:
        return
    there = after(valid_tree(), edit)
    if there == valid_tree():
        return  # it was there
    assert after(there, remove_connection(*find_connection(Configuration(there), f"{device}/{name}"))) == valid_tree()


@settings(max_examples=20, deadline=None)
@given(st.permutations(["DCM4CHEE", "STORESCP", "WORKSTATION", "LONGTERM"]))
def test_after_copying_in_place_neither_can_what_the_other_cannot(titles: list[str]) -> None:
    configuration = Configuration(valid_tree())
    source, target = (configuration.find_network_ae(title) for title in titles[:2])
    assert source is not None
    assert target is not None
    try:
        there = after(valid_tree(), copy_capabilities(configuration, source, target, replace=True))
    except DcmcfgError:
        return
    one, other = (Configuration(there).find_network_ae(title) for title in titles[:2])
    assert one is not None
    assert other is not None
    assert find_missing_capabilities(one, other) == find_missing_capabilities(other, one) == ()
