"""What is found in small trees: names, values, entries, references, defaults, secrets and nodes."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.lab.archive.device_json import build_device_json
from dcmcfg.lint.archive_view.differences import DeviceView, find_view_differences
from dcmcfg.model.tree import Tree
from tests.patience import PATIENCE_S
from tests.trees import ARCHIVE, site_entries, tree

Json = dict[str, Any]
Found = tuple[str, str, str, str]
STORAGE = f"dcmStorageID=fs1,{ARCHIVE}"


def storage(**more: str) -> Entry:
    return Entry.from_values(
        STORAGE, {"objectClass": "dcmStorage", "dcmStorageID": "fs1", "dcmURI": "file:/fs1/"} | more
    )


def shown(of: Tree) -> Json:
    """Return the JSON that the lab's archive shows of the device."""
    content: Json = json.loads(build_device_json(sorted(of.subtree(DN.parse(ARCHIVE)), key=lambda e: len(e.dn.rdns))))
    return content


def find(of: Tree, content: Json, node: str = "") -> list[Found]:
    """Return rule, name of the entry, attribute and message of each finding."""
    device = of.get(DN.parse(ARCHIVE))
    assert device is not None
    return [
        (each.rule.name, str(each.dn.rdn), each.attribute, each.message)
        for each in find_view_differences(of, device, [DeviceView(node, content)])
    ]


def archive_object(content: Json) -> Json:
    found: Json = content["dcmDevice"]["dcmArchiveDevice"]
    return found


@pytest.fixture
def site() -> Tree:
    return tree(*site_entries(), storage())


def test_nothing_is_found_where_both_agree(site: Tree) -> None:
    assert find(site, shown(site)) == []


def test_an_attribute_that_the_archive_does_not_know_is_found() -> None:
    site = tree(*site_entries(dcmHostname="a", dcmNewSetting="b"))
    content = shown(site)
    assert "dcmHostname" not in json.dumps(content)
    assert find(site, content) == [
        (
            "view-attribute-missing",
            "dicomDeviceName=dcm4chee-arc",
            "dcmHostname",
            "the archive's JSON does not show this attribute, and dcm4chee-arc 5.35 does not load it",
        ),
        (
            "view-attribute-missing",
            "dicomDeviceName=dcm4chee-arc",
            "dcmNewSetting",
            "the archive's JSON does not show this attribute, which the schema does not define",
        ),
    ]


def test_an_attribute_under_the_name_of_another_one_is_found() -> None:
    """Source of 5.35: ``dcmCoercionOnFailure`` is written as ``dcmCoercionSufficient``."""
    coercion = Entry.from_values(
        f"cn=c,dicomAETitle=DCM4CHEE,{ARCHIVE}",
        {
            "objectClass": "dcmArchiveAttributeCoercion2",
            "cn": "c",
            "dcmDIMSE": "C_STORE_RQ",
            "dicomTransferRole": "SCU",
            "dcmURI": "merge-attrs:",
            "dcmCoercionOnFailure": "CONTINUE",
        },
    )
    site = tree(*site_entries(), coercion)
    assert find(site, shown(site)) == [
        (
            "view-attribute-name",
            "cn=c",
            "dcmCoercionOnFailure",
            "the archive's JSON shows this attribute as dcmCoercionSufficient",
        )
    ]


@pytest.mark.parametrize(
    ("attribute", "value", "json_value", "message"),
    [
        ("dcmURI", "file:/fs1/", "file:/fs2/", "the archive's JSON shows file:/fs2/ instead of this value"),
        ("dcmURI", "file:/fs1/", None, "the archive's JSON does not show this attribute"),
        ("dcmDeleterThreshold", "1GB", [], "the archive's JSON does not show this attribute"),
        ("dcmExternalRetrieveAET", "A", ["A", "B"], "the archive's JSON also shows B"),
        ("dcmReadOnly", "TRUE", False, "the archive's JSON shows FALSE instead of this value"),
    ],
)
def test_a_changed_value_is_found(attribute: str, value: str, json_value: Any, message: str) -> None:
    site = tree(*site_entries(), storage(**{attribute: value}))
    content = shown(site)
    archive_object(content)["dcmStorage"][0][attribute] = json_value
    assert find(site, content) == [
        ("view-attribute-missing" if "attribute" in message else "view-value", "dcmStorageID=fs1", attribute, message)
    ]


@pytest.mark.parametrize(
    ("attribute", "value", "json_value"),
    [
        ("dcmReadOnly", "FALSE", None),
        ("dcmMaxRetries", "0", None),
        ("dcmMaxRetries", "05", 5),
        ("dcmStorageDuration", "PERMANENT", None),  # the default of the web form
        ("dcmExportStorageID", "{0}fs2", ["fs2"]),
        ("dcmDeleteStudiesOlderThan", "P2W", ["P14D"]),
        ("dcmDeleteStudiesOlderThan", "P1Y1W3D", ["P1Y10D"]),
    ],
)
def test_another_spelling_of_a_value_and_an_omitted_default_are_no_findings(
    attribute: str, value: str, json_value: Any
) -> None:
    site = tree(*site_entries(), storage(**{attribute: value}))
    content = shown(site)
    archive_object(content)["dcmStorage"][0][attribute] = json_value
    assert find(site, content) == []


@pytest.mark.parametrize(
    ("value", "shown_as", "is_same"),
    [
        ("hour=18-6", "hour=18-6 dayOfWeek=*", True),
        ("dayOfWeek=1-5 hour=8", "hour=8 dayOfWeek=1-5", True),
        ("hour=18-6", "hour=18-7 dayOfWeek=*", False),
    ],
)
def test_a_schedule_is_shown_with_all_its_parts(value: str, shown_as: str, *, is_same: bool) -> None:
    queue = Entry.from_values(
        f"dcmQueueName=Q,{ARCHIVE}", {"objectClass": "dcmQueue", "dcmQueueName": "Q", "dcmSchedule": value}
    )
    site = tree(*site_entries(), queue)
    content = shown(site)
    archive_object(content)["dcmQueue"][0]["dcmSchedule"] = [shown_as]
    assert (find(site, content) == []) is is_same


def test_an_entry_that_only_one_of_them_has_is_found(site: Tree) -> None:
    content = shown(site)
    archive_object(content)["dcmStorage"][0]["dcmStorageID"] = "fs9"
    assert find(site, content) == [
        ("view-entry-missing", "dcmStorageID=fs1", "", "the archive's JSON does not show this entry"),
        (
            "view-entry-unknown",
            "dicomDeviceName=dcm4chee-arc",
            "",
            "the archive's JSON shows an entry that the directory does not have: dcmStorage dcmStorageID=fs9",
        ),
    ]


def test_an_entry_stands_for_all_entries_below_it(site: Tree) -> None:
    content = shown(site)
    content["dicomNetworkAE"] = [ae for ae in content["dicomNetworkAE"] if ae["dicomAETitle"] != "DCM4CHEE"]
    assert find(site, content) == [
        (
            "view-entry-missing",
            "dicomAETitle=DCM4CHEE",
            "",
            "the archive's JSON does not show this entry and the 1 entry below it",
        )
    ]


def test_a_reference_to_another_connection_is_found(site: Tree) -> None:
    other = Entry.from_values(
        f"cn=other,{ARCHIVE}", {"objectClass": "dicomNetworkConnection", "cn": "other", "dicomHostname": "b"}
    )
    site = tree(*site_entries(), other)
    content = shown(site)
    names = [each["cn"] for each in content["dicomNetworkConnection"]]
    content["dicomNetworkAE"][0]["dicomNetworkConnectionReference"] = [
        f"/dicomNetworkConnection/{names.index('other')}"
    ]
    (found,) = find(site, content)
    assert found[0] == "view-value"
    assert found[3] == f"the archive's JSON shows {f'cn=other,{ARCHIVE}'[:60]}… instead of this value"


def test_binary_values_are_only_noted() -> None:
    site = tree(*site_entries())
    device = site.get(DN.parse(ARCHIVE))
    assert device is not None
    certified = device.with_values("userCertificate;binary", [b"\x30\x00"]).with_values("dicomVendorData", [b"PK"])
    (finding,) = find_view_differences(
        tree(certified, *(each for each in site_entries() if str(each.dn) != ARCHIVE)),
        certified,
        [DeviceView("", shown(site) | {"dicomVendorData": True})],
    )
    assert (finding.attribute, finding.severity, finding.value) == ("userCertificate", "note", None)


def test_vendor_data_that_the_archive_does_not_have_is_found() -> None:
    site = tree(*site_entries())
    device = site.get(DN.parse(ARCHIVE))
    assert device is not None
    with_data = device.with_values("dicomVendorData", [b"PK"])
    found = find_view_differences(
        tree(with_data, *(each for each in site_entries() if str(each.dn) != ARCHIVE)),
        with_data,
        [DeviceView("", shown(site) | {"dicomVendorData": False})],
    )
    assert [(each.rule.name, each.attribute) for each in found] == [("view-value", "dicomVendorData")]


def test_no_message_contains_a_secret() -> None:
    site = tree(*site_entries(dcmKeyStorePin="hunter2", dcmKeyStoreType="PKCS12"))
    content = shown(site)
    content["dcmDevice"]["dcmKeyStorePin"] = "swordfish"
    assert find(site, content) == [
        ("view-value", "dicomDeviceName=dcm4chee-arc", "dcmKeyStorePin", "the archive's JSON shows another value")
    ]


def test_a_finding_names_the_nodes_that_have_it(site: Tree) -> None:
    device = site.get(DN.parse(ARCHIVE))
    assert device is not None
    good, bad = shown(site), shown(site)
    archive_object(bad)["dcmStorage"][0]["dcmURI"] = "x:"
    messages = [
        each.message
        for each in find_view_differences(
            site, device, [DeviceView("n1", good), DeviceView("n2", bad), DeviceView("n3", bad)]
        )
    ]
    assert messages == ["the archive's JSON shows x: instead of this value (nodes n2, n3)"]


def test_many_entries_that_the_directory_does_not_have_are_counted(site: Tree) -> None:
    content = shown(site)
    archive_object(content)["dcmQueue"] = [{"dcmQueueName": f"q{number}"} for number in range(1000)]
    found = find(site, content)
    assert len(found) == 21
    assert found[-1][3] == (
        "the archive's JSON shows 980 more entries with the key dcmQueue that the directory does not have"
    )


def test_many_unknown_keys_cost_little(site: Tree) -> None:
    content = shown(site) | {f"dcmStrange{number}": "x" for number in range(100_000)}
    started = time.monotonic()
    find(site, content)
    assert time.monotonic() - started < PATIENCE_S


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"dicomNetworkAE": {"a": [[1, [2, {"b": None}]]]}},
        {"dicomNetworkAE": [1, None, {"dicomAETitle": None}]},
        {"dicomNetworkConnection": [{"cn": ["dicom", "x"]}], "dcmDevice": [[]], "~/": {"/~": 1e400}},
        {"dicomNetworkAE": [{"dicomAETitle": "DCM4CHEE"}] * 300},
    ],
)
def test_odd_json_raises_nothing(site: Tree, content: Json) -> None:
    assert find(site, content)
