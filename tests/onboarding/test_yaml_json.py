"""YAML, JSON and Orthanc's modalities."""

from __future__ import annotations

import json

import pytest

from dcmcfg.errors import OnboardingError
from dcmcfg.onboarding.row import Sheet
from dcmcfg.onboarding.yaml_json import read_json, read_yaml


def values(sheet: Sheet) -> list[dict[str, str]]:
    return [dict(row.values) for row in sheet.rows]


def test_a_yaml_list_is_read_by_itself_or_as_aes() -> None:
    rows = "- title: CT1\n  Host: ct1.example.org\n  port: 104\n  tls: yes\n- {AET: WS, host: '::1', port: 11112}\n"
    expected = [
        {"title": "CT1", "host": "ct1.example.org", "port": "104", "tls": "yes"},
        {"title": "WS", "host": "::1", "port": "11112"},
    ]
    sheet = read_yaml("x.yaml", rows)
    assert values(sheet) == expected
    assert [str(row.location) for row in sheet.rows] == ["x.yaml:1", "x.yaml:5"]
    nested = read_yaml("x.yaml", "aes:\n" + rows)
    assert (values(nested), str(nested.rows[1].location)) == (expected, "x.yaml:6")


def test_values_are_the_text_that_is_written() -> None:
    sheet = read_yaml("x", "- {title: NO, port: 0104, host: 1e3, device: 1_000, description: 2001-01-01, role: ~}\n")
    assert values(sheet) == [
        {"title": "NO", "port": "0104", "host": "1e3", "device": "1_000", "description": "2001-01-01"}
    ]


def test_unknown_keys_are_counted_and_doubled_or_nested_ones_are_problems() -> None:
    sheet = read_yaml("x", "- {title: A, vlan: 1, title: B, port: [1]}\n- {title: C, vlan: 2}\n- CT1\n")
    assert sheet.warnings == ("x: unknown key 'vlan', ignored (2 times).",)
    assert [row.problems for row in sheet.rows] == [
        ("title occurs twice", "port is not a single value"),
        (),
        ("not an AE: this element of the list has no keys such as 'title' and 'host'",),
    ]


def test_yaml_rejects_stand_below_their_reasons_as_they_were() -> None:
    text = "- title: A   # keep\n  vlan: [1, 2]\n- title: 'B'\n  port: 0x\n"
    rejects = read_yaml("x", text).source_format.write_rejected_rows({0: "why\nso", 1: "no"}, "rejects")
    assert rejects == "# rejects\n# why so\n- title: A\n  vlan: [1, 2]\n# no\n- title: 'B'\n  port: 0x\n"


def test_json_is_a_list_with_or_without_comments() -> None:
    text = (
        '/* the\n"old" ones */ [\n\t{"title": "CT1", "host": "h//x", "port": 104, "tls": true, "role": null}, // x\n]'
    )
    sheet = read_json("x.json", text)
    assert values(sheet) == [{"title": "CT1", "host": "h//x", "port": "104", "tls": "true"}]
    assert str(sheet.rows[0].location) == "x.json:3"


def test_json_rejects_are_json_with_their_reasons() -> None:
    text = '[{"title": "A", "x": [1, {"y": null}]}, {"title": "\\ud83d\\ude00", "reason": "old"}]'
    rejects = read_json("x", text).source_format.write_rejected_rows({0: "why", 1: "ü"}, "")
    assert json.loads(rejects) == [
        {"title": "A", "x": [1, {"y": None}], "reason": "why"},
        {"title": "😀", "reason": "ü"},
    ]


ORTHANC = """\
{
  // Orthanc's own file
  "RegisteredUsers" : { "admin" : "topsecret" },
  "DicomModalities" : {
    "ct" : [ "CT1", "ct1.example.org", 104, "Siemens" ],  /* short */
    //"old" : [ "OLD", "old.example.org", 104 ],
    "ws" : {
      "AET" : "WS", "Port" : 11112, "Host" : "ws", "Manufacturer" : "Generic", "AllowEcho" : true,
      "UseDicomTls" : true
    },
    "bad" : "CT9",
  },
  "OrthancPeers" : { "peer" : [ "http://x/", "alice", "topsecret" ] }
}
"""


def test_both_forms_of_orthancs_modalities_are_read_out_of_its_configuration() -> None:
    sheet = read_json("orthanc.json", ORTHANC)
    assert values(sheet) == [
        {"title": "CT1", "host": "ct1.example.org", "port": "104", "description": "ct"},
        {"title": "WS", "host": "ws", "port": "11112", "tls": "true", "description": "ws"},
        {},
    ]
    assert [str(row.location) for row in sheet.rows] == ["orthanc.json:5", "orthanc.json:7", "orthanc.json:11"]
    assert sheet.rows[2].problems == ("'bad' is neither an array nor an object",)
    assert sheet.warnings == ()


def test_orthancs_rejects_are_modalities_and_nothing_else_of_its_file() -> None:
    rejects = read_json("orthanc.json", ORTHANC).source_format.write_rejected_rows(
        {0: "refused", 2: "neither"}, "rejects"
    )
    assert rejects == (
        '// rejects\n{\n  "DicomModalities": {\n    // refused\n    "ct": ["CT1", "ct1.example.org", 104, "Siemens"],\n'
        '    // neither\n    "bad": "CT9"\n  }\n}\n'
    )
    assert values(read_json("r.json", rejects))[0]["title"] == "CT1"


def test_modalities_by_themselves_are_read_as_the_rest_interface_gives_them() -> None:
    text = '{"a": {"AET": "A", "Host": "h", "Port": 1}, "b": ["B", "h", 2]}'
    assert [row.text("title") for row in read_json("x", text).rows] == ["A", "B"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x: the file is empty"),
        ('{"DicomAet": "X"}', "x: not a list of AEs"),
        ("7", "x: not a list of AEs"),
        ('[{"title": "A",\n"port": }', "x:2: not JSON: "),
        ('[{"title": "A"', "x:1: not JSON: "),
        ('["\x07"]', "x:1: not JSON: the file contains a control character"),
        ("[&a [*a]]", "x:1: not JSON: the file contains a YAML alias"),
        ("[" * 100_000, "x:1: not JSON: "),
        ("[" * 900 + "]" * 900, "x:1: not a JSON list of AEs: the file has too many nested levels"),
        (
            '[{"title":' + "[" * 500 + "]" * 500 + "}]",
            "x:1: not a JSON list of AEs: the file has too many nested levels",
        ),
        ('{"a":' * 500 + "1" + "}" * 500, "x:1: not a JSON list of AEs: the file has too many nested levels"),
        ('["' + '\\"' * 200_000, "x:1: not JSON: "),  # each quote was the start of a string to the end once
        ('["x\\', "x:1: not JSON: "),
    ],
)
def test_what_is_no_json_of_this_kind_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(OnboardingError) as refused:
        read_json("x", text)
    assert str(refused.value).startswith(message)


def test_what_is_told_of_a_broken_file_holds_nothing_of_it() -> None:
    with pytest.raises(OnboardingError) as refused:
        read_json("x", '{"RegisteredUsers": {"admin": "topsecret" "x": 1}}')
    assert "topsecret" not in str(refused.value)


def test_no_yaml_tag_makes_anything_but_text() -> None:
    sheet = read_yaml("x", "- {title: !!python/object/apply:os.system ['true'], host: !!binary aGk=}\n")
    assert sheet.rows[0].problems == ("title is not a single value",)
    assert dict(sheet.rows[0].values) == {"host": "aGk="}


@pytest.mark.parametrize("text", ["- " * 990 + "a\n", "[{title: " + "[" * 990 + "]" * 990 + "}]"])
def test_yaml_that_is_nested_deeply_is_refused(text: str) -> None:
    with pytest.raises(OnboardingError) as refused:
        read_yaml("x", text)
    assert str(refused.value).startswith("x:1: not a YAML list of AEs: the file has too many nested levels")


def test_yaml_with_a_list_that_holds_itself_is_read() -> None:
    assert read_yaml("x", "- {title: &a [*a]}\n").rows[0].problems == ("title is not a single value",)
