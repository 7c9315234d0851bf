"""The intents on connections: added, changed for all who use them, removed when nobody does."""

from __future__ import annotations

import re
import shlex

import pytest

from dcmcfg.changes import Add, Operation
from dcmcfg.dn import DN
from dcmcfg.edits.attribute_values import AttributeValues, set_values
from dcmcfg.edits.connection_settings import ConnectionSettings, find_connection, split_connection
from dcmcfg.edits.connections import add_connection, remove_connection, set_connection
from dcmcfg.edits.edit import Edit
from dcmcfg.entry import Entry
from dcmcfg.errors import AmbiguousName, NotFound, Refused
from dcmcfg.lint.linter import lint
from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import resolve_target
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.schema.definitions import load_bundled_schema
from tests.lint.breaking import ARCHIVE, NOW, REFERENCE, STORESCP_DEVICE, more, valid_tree

DICOM = f"cn=dicom,{STORESCP_DEVICE}"


def planned(edit: Edit, tree: Tree | None = None) -> Plan:
    return make_plan(tree or valid_tree(), [DesiredChange(change) for change in edit.changes])


def set_to(settings: ConnectionSettings, text: str = "storescp", tree: Tree | None = None) -> Edit:
    return set_connection(*find_connection(Configuration(tree or valid_tree()), text), settings)


def test_a_connection_is_found_by_its_device_while_there_is_one_only() -> None:
    configuration = Configuration(valid_tree())
    device, connection = find_connection(configuration, "STORESCP")
    assert (device.name, str(connection.dn)) == ("storescp", DICOM)
    assert str(find_connection(configuration, "dcm4chee-arc/DICOM-tls")[1].dn) == f"cn=dicom-tls,{ARCHIVE}"
    assert str(find_connection(configuration, "storescp/STORESCP")[1].dn) == DICOM
    with pytest.raises(AmbiguousName, match="the AE dcm4chee-arc/WORKLIST has several connections"):
        find_connection(configuration, "dcm4chee-arc/WORKLIST")
    with pytest.raises(AmbiguousName, match="several connections — specify one of dcm4chee-arc/dicom, dcm4chee"):
        find_connection(configuration, "dcm4chee-arc")
    with pytest.raises(NotFound, match="no connection http — connections of the device: dicom"):
        find_connection(configuration, "storescp/http")
    with pytest.raises(NotFound, match="the device storesp does not exist — existing devices: storescp"):
        find_connection(configuration, "storesp/dicom")


def test_a_name_may_hold_a_slash() -> None:
    device = Entry.from_values(
        f"dicomDeviceName=a/b,{STORESCP_DEVICE.partition(',')[2]}",
        {"objectClass": "dicomDevice", "dicomDeviceName": "a/b", "dicomInstalled": "TRUE"},
    )
    configuration = Configuration(valid_tree().with_changes([Add(device)]))
    assert [split_connection(configuration, text)[1] for text in ("a/b", "a/b/c/d")] == [None, "c/d"]


def test_a_new_one_is_written_as_the_archive_does() -> None:
    settings = ConnectionSettings("::1", 2762, ("TLS_A_B",), "DICOM", bind_address="0.0.0.0", installed=True)
    (change,) = add_connection(Configuration(valid_tree()).get_device("storescp"), "dicom-tls", settings).changes
    assert isinstance(change, Add)
    assert change.entry == Entry.from_values(
        f"cn=dicom-tls,{STORESCP_DEVICE}",
        {
            "objectClass": ("dicomNetworkConnection", "dcmNetworkConnection"),
            "cn": "dicom-tls",
            "dicomHostname": "::1",
            "dicomPort": "2762",
            "dcmBindAddress": "0.0.0.0",
            "dicomTLSCipherSuite": "TLS_A_B",
        },
    )


def test_one_that_is_there_counts_as_done_or_is_refused() -> None:
    device = Configuration(valid_tree()).get_device("storescp")
    assert planned(add_connection(device, "DICOM", ConnectionSettings("127.0.0.1", 11119))).steps == ()
    with pytest.raises(
        Refused,
        match=r"already has a connection dicom, to 127.0.0.1:11119 — to change this connection: dcmcfg connection set",
    ):
        add_connection(device, "dicom", ConnectionSettings("127.0.0.1", 104))


def test_without_a_name_it_is_called_as_usual_and_aes_use_it_at_once() -> None:
    device = Configuration(valid_tree()).get_device("storescp")
    settings = ConnectionSettings("h", 2762, ("TLS_A_B",))
    plan = planned(add_connection(device, None, settings, ae_titles=["STORESCP"]))
    ae = plan.after.get(DN.parse(f"dicomAETitle=STORESCP,{STORESCP_DEVICE}"))
    assert ae is not None
    assert ae.texts("dicomNetworkConnectionReference") == (DICOM, f"cn=dicom-tls,{STORESCP_DEVICE}")
    for protocol, name in (("HL7", "cn=hl7"), ("HTTP", "cn=http"), ("SYSLOG_UDP", "cn=syslog")):
        (change,) = add_connection(device, None, ConnectionSettings("h", protocol=protocol)).changes
        assert str(change.dn.rdn) == name
    with pytest.raises(NotFound, match="the device storescp has no AE NO"):
        add_connection(device, None, settings, ae_titles=["NO"])


def test_a_changed_one_tells_who_moves_with_it() -> None:
    edit = set_to(ConnectionSettings("ws1", 104))
    assert edit.warnings == ()
    after = planned(edit).after.get(DN.parse(DICOM))
    assert after is not None
    assert (after.text("dicomHostname"), after.text("dicomPort")) == ("ws1", "104")
    archive = set_to(ConnectionSettings("arc", 104), "dcm4chee-arc/dicom")
    assert archive.warnings == (
        "the change affects all entries that use the connection: the AEs AS_RECEIVED, DCM4CHEE, IOCM_REGULAR_USE, "
        "WORKLIST.",
    )


def test_what_is_not_said_stays_and_what_is_so_is_nothing_to_do() -> None:
    plan = planned(set_to(ConnectionSettings(port=104)))
    after = plan.after.get(DN.parse(DICOM))
    assert after is not None
    assert after.text("dicomHostname") == "127.0.0.1"
    assert planned(set_to(ConnectionSettings("127.0.0.1", 11119, protocol="DICOM", installed=True))).steps == ()


def test_tls_comes_and_goes() -> None:
    secured = planned(set_to(ConnectionSettings(cipher_suites=("TLS_A_B", "TLS_C_D")))).after
    entry = secured.get(DN.parse(DICOM))
    assert entry is not None
    assert entry.texts("dicomTLSCipherSuite") == ("TLS_A_B", "TLS_C_D")
    assert planned(set_to(ConnectionSettings(cipher_suites=()), tree=secured), secured).after == valid_tree()


def test_the_class_that_a_setting_needs_is_added() -> None:
    plain = Entry.from_values(
        f"cn=plain,{STORESCP_DEVICE}", {"objectClass": "dicomNetworkConnection", "cn": "plain", "dicomHostname": "h"}
    )
    tree = valid_tree().with_changes([Add(plain)])
    edit = set_to(ConnectionSettings(bind_address="127.0.0.1"), "storescp/plain", tree)
    entry = planned(edit, tree).after.get(plain.dn)
    assert entry is not None
    assert entry.is_a("dcmNetworkConnection")


def test_the_address_of_another_connection_of_the_device_is_told() -> None:
    device = Configuration(valid_tree()).get_device("storescp")
    edit = add_connection(device, "dicom-2", ConnectionSettings("127.0.0.1", 11119))
    assert edit.warnings == ("the connection dicom of storescp also has the address 127.0.0.1:11119.",)


def test_one_that_is_used_is_not_removed_since_the_device_would_vanish() -> None:
    configuration = Configuration(valid_tree())
    with pytest.raises(Refused) as refused:
        remove_connection(*find_connection(configuration, "storescp"))
    assert str(refused.value) == (
        "the connection dicom of storescp is used by the AE STORESCP; without the connection, the archive would not "
        "load the device — to also remove the reference to the connection from each of these entries: --detach (only "
        "if the entry has another connection); to give an AE another connection: dcmcfg connection add storescp/NAME "
        "HOST:PORT --ae AET"
    )
    spare = Entry.from_values(f"cn=spare,{STORESCP_DEVICE}", {"objectClass": "dicomNetworkConnection", "cn": "spare"})
    tree = valid_tree().with_changes([Add(spare.with_values("dicomHostname", (b"h",)))])
    edit = remove_connection(*find_connection(Configuration(tree), "storescp/spare"))
    assert planned(edit, tree).after == valid_tree()
    used = tree.with_changes(
        [more(f"dicomAETitle=STORESCP,{STORESCP_DEVICE}", "dicomNetworkConnectionReference", str(spare.dn))]
    )
    with pytest.raises(Refused):
        remove_connection(*find_connection(Configuration(used), "storescp/spare"))


def test_what_is_no_ae_is_given_another_by_the_value_that_it_holds() -> None:
    configuration = Configuration(valid_tree())
    with pytest.raises(Refused) as refused:
        remove_connection(*find_connection(configuration, "dcm4chee-arc/hl7"), detach=True)
    match = re.fullmatch(
        r"to add another connection: dcmcfg (connection add dcm4chee-arc/NAME HOST:PORT --protocol HL7); "
        r"to assign that connection to the HL7 application .*: dcmcfg set (.*)",
        refused.value.next_step,
    )
    assert match is not None, refused.value.next_step
    target, value = shlex.split(match[2])
    tree = planned(
        add_connection(configuration.get_device("dcm4chee-arc"), "NAME", ConnectionSettings("h", 2576))
    ).after
    name, _, octets = value.partition("+=")
    edit = set_values(
        load_bundled_schema(),
        resolve_target(Configuration(tree), target),
        [AttributeValues(name, (octets.encode(),), Operation.ADD)],
    )
    detached = planned(edit, tree).after
    assert detached.get(DN.parse(octets)) is not None
    plan = remove_connection(*find_connection(Configuration(detached), "dcm4chee-arc/hl7"), detach=True)
    assert DN.parse(f"cn=hl7,{ARCHIVE}") not in planned(plan, detached).after


def test_it_is_taken_from_all_who_have_another_or_from_nobody() -> None:
    configuration = Configuration(valid_tree())
    plan = planned(remove_connection(*find_connection(configuration, "dcm4chee-arc/dicom-tls"), detach=True))
    assert DN.parse(f"cn=dicom-tls,{ARCHIVE}") not in plan.after
    for ae in Configuration(plan.after).get_device("dcm4chee-arc").network_aes:
        assert ae.entry.texts("dicomNetworkConnectionReference") == (f"cn=dicom,{ARCHIVE}",)
    assert lint(plan.after, NOW) == lint(valid_tree(), NOW)
    assert plan.undo().after == valid_tree()
    with pytest.raises(Refused, match="the connection dicom of storescp is the only connection of the AE STORESCP"):
        remove_connection(*find_connection(configuration, "storescp"), detach=True)
    gone = valid_tree().with_changes(
        [more(f"dicomAETitle=STORESCP,{STORESCP_DEVICE}", REFERENCE, f"cn=gone,{STORESCP_DEVICE}")]
    )
    with pytest.raises(Refused, match="is the only connection"):
        remove_connection(*find_connection(Configuration(gone), "storescp"), detach=True)
