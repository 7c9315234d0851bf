"""Every kind of value, with texts that the archive's own parser accepts and texts that it refuses.

The answers are those of dcm4chee-arc 5.35.1: recorded where the recordings have them, else by its parsers.
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.schema.value_kinds.catalogue import FOLLOWED_REFERENCES, KINDS, get_value_kind

EXAMPLES: dict[str, tuple[list[str], list[str]]] = {
    "association-limit": (["A=5", "A=-1", "A=B=3"], ["", "A", "A=", "A=x", "5"]),
    "attribute-selector": (
        [
            'DicomAttribute[@tag="00100010"]',
            'DicomAttribute[@tag="00400275"]/Item/DicomAttribute[@tag="00100010"]',
            '@tag="00100010"',
        ],
        [
            "",
            "00100010",
            'DicomAttribute[@tag="xx"]',
            'DicomAttribute[@tag="FFFFFFFF"]',
            "DicomAttribute[@tag=00100010]",
        ],
    ),
    "attributes-format": (
        [
            "x",
            "{StudyDate}",
            "{now,date,yyyy/MM/dd}/{0020000D,hash}",
            "{rnd,uuid}",
            "{00100020,slice,1,3}",
            "{PatientID[1]}",
        ],
        ["{0}x}", "StudyDate}", "{Foo}", "{}", "{StudyDate,foo}", "{rnd,hash}", "{00100020,slice,x}", "{now,date,b}"],
    ),
    "charset": (["UTF-8", "utf8", "ISO-8859-1", "x-JIS0208"], ["FOO bar", "", "Foo-1", "PT5M"]),
    "charset-mapping": (["UNICODE UTF-8=UTF-8", "=UTF-8"], ["A=B", "FOO bar", "A="]),
    "code": (
        ['(1,99X,"m")', '(113001, DCM, "Rejected")', '(1, SCT [2023], "x")', '(urn:x,,"m")', '(http://h,,"m")'],
        ["FOO bar", "(1,99X,m)", '(, 99X, "m")', '(1, , "m")', '(1,99X[],"m")', '(urn:x,99X,"m")', '(oid:x, ,"m")'],
    ),
    "coercion-uri": (["http://h/x", "nosuch:x", ":"], ["FOO bar", "PT5M", ""]),
    "condition": (
        ["A=B", "A!=B", "hour=8-18", "A[1]=x", "A=", '=(1,99X,"m")', "A=§NOSUCH", "A={0}"],
        ["FOO bar", "PT5M", "A=(", "A=[a", "A[0]=x", "A[x]=x", "A=*", "A=\\"],
    ),
    "date-time": (
        ["2020", "202001", "20200101120000.123+0100", "2020-01-01", "20200132", "202013"],
        ["FOO bar", "PT5M", "0", "20201", "", "2020010112000", "abcd"],
    ),
    "deleter-threshold": (["1GB", "[hour=8-18]1GB", "0"], ["1gb", "-1", "[hour=24]1GB", "[hour=8]P1D", "FOO bar"]),
    "dicom-charset-mapping": (
        ["ISO_IR 100=windows-1252", "ISO 2022 IR 87=x-JIS0208", "GBK=GB18030"],
        ["A=B", "FOO bar", "ISO_IR 999=UTF-8", "ISO_IR 100=Foo-1", "ISO_IR 100="],
    ),
    "digest-algorithm": (["MD5", "md5", "SHA-256", "SHA-512/256", "SHA"], ["FOO bar", "SHA-257", "CRC", "", "PT5M"]),
    "duration": (
        ["PT5M", "pt5m", "P1D", "P1DT12H", "PT0.5S", "PT5,S", "P0D"],
        ["", "P", "PT", "P1DT", "P1W", "P1M", "-PT5M", "5 minutes", "0", "PT5M\n", "P99999999999999999999D"],
    ),
    "entity-selector": (
        ["", "priors=1", "StudyAge=1D-2Y", "StudyAge=-2Y", "StudyDate=20200101&PatientID=2", "StudyDate=$x"],
        ["FOO bar", "priors=x", "StudyAge=1D", "StudyAge=1X-2D", "Foo=1", "StudyDate", "=1"],
    ),
    "file-uri": (
        ["file:/x", "file:///x/y", "${jboss.server.temp.url}/x"],
        ["", "FOO bar", "x", "http://h/x", "file:x", "file://h/x", "file:/x?y"],
    ),
    "filter": (["StudyDate=1", "00100020=x", "A=B"], ["FOO bar", "Foo=1", "StudyDate"]),
    "hl7-condition": (["MSH-9=ADT.*", "A!=B", "A="], ["FOO bar", "A=(", "A=[", "A=*"]),
    "include-field": (["all", "StudyDate", "00081140.00081155", "ABCD"], ["ALL", "FOO bar", "StudyDate.", "Study"]),
    "issuer": (["X", "X&1.2.3&ISO", "&1.2.3&ISO", "FOO bar"], ["", "X&1.2.3", "&", "&&ISO", "X&1&ISO&x"]),
    "merge-attribute": (
        ["A=B", "PatientID={AccessionNumber}", "PatientID=", "PatientID!", "ReferencedSOPSequence[1].SOPClassUID=x"],
        ["FOO bar", "PatientID", "Foo=x", "A!=B", "ReferencedSOPSequence[0].SOPClassUID=x", "PatientID={Foo}", "!x"],
    ),
    "negatable-pattern": (["", "!a.*", "a|b"], ["!(", "[", "*"]),
    "not-empty": (["x", " "], [""]),
    "ordinal-prefixed": (["{0}1.2.840.10008.1.2", "abcd"], ["", "{0}", "ab"]),
    "pattern": (
        [
            "",
            "a|b",
            "(?<n>a)",
            "[[a]b]",
            "a{2,3}?",
            "]",
            "}",
            "{0}x",
            "[^]]",
            "\\Q(",
            "a++",
            "(?i)x",
            "(?c)abc",
            "(?ic-cu:a)",
        ],
        ["[", "(", ")", "*", "a{", "{", "a{2,1}", "[z-a]", "a**+*", "(?<1>a)", "\\", "\\q", "[]a"],
    ),
    "period": (["P1W", "P1M", "-P1D", "P-1D", "P1Y2M3W4D", "p1y"], ["", "P", "PT5M", "1D", "FOO bar", "P2147483648D"]),
    "port": (["1", "65535", "-1"], ["0", "65536", "-2", "99999999", "x"]),
    "property": (["A=B", "=", "hour=8-18"], ["FOO bar", "", "PT5M"]),
    "qstar-url": (["http://a:b@c/d"], ["http://a@c", "ftp://a:b@c", "FOO bar", ""]),
    "query-keys": (["", "StudyDate=1&PatientID=2"], ["FOO bar", "Foo=1", "StudyDate", "=1"]),
    "queue-size": (["dayOfWeek=7", "A=-1"], ["A=B", "FOO bar", "A=", "7"]),
    "remapped-url": (["http://h/x", "[h]http://h/x"], ["", "[h", "[h]a]b"]),
    "retention-period": (
        ["P1W", "[hour=0-6]P1D", "[]P1D"],
        ["PT5M", "[hour=24]P1D", "]P1D", "a]P1D", "[hour=8]]P1D", ""],
    ),
    "schedule": (
        ["", "hour=8-18", "hour=18-6 dayOfWeek=*", "hour=", "hour=+1"],
        ["dayOfWeek=7", "hour=24", "A=B", "hour=8-18  dayOfWeek=1", "hour=1,", "hour=1-2-3", "FOO bar"],
    ),
    "size": (
        [
            "1GB",
            "0",
            "1",
            "1.5GB",
            "1KiB",
            "1kB",
            ".5GB",
            "12.e3",
            "0.E0",
            " 1.5GB",
            "+1.5e-3GB",
            " -1.5",
            "0x1.8p3",
            "0x.8P-1GB",
        ],
        [
            "1gb",
            "-1",
            "GB",
            "1 GB",
            "1.GB",
            "-1.5",
            "1.5e",
            "1.5 GB",
            " 1",
            "1e3",
            "0x1p3",
            "0x1.8",
            "1..5",
            ".e3",
            "1Gb",
            "FOO bar",
            "",
            "9223372036854775808",
        ],
    ),
    "sort-order": (
        ["studies:StudyDate", "studies:-StudyDate,PatientID", "patients:00100010", "studies:-"],
        ["FOO bar", "StudyDate", "foo:StudyDate", "studies:", "studies:Foo", "http://h/x"],
    ),
    "storage-uri": (["http://h/x", "file:///x/y", "s3://b"], ["FOO bar", "PT5M", "file:x", "file://h/x", ""]),
    "store-associations": (["1", "A:5"], ["0", "-1", ":5", "A:x", "A:0", "FOO bar", ""]),
    "tag": (["0020000D", "PT5M", "0020000Z", "X&1.2.3&ISO", ""], ["pt5m", "StudyDate", "FOO bar", "ÿ"]),
    "uri": (
        ["http://h/x", "PT5M", "A=B", "X&1.2.3&ISO", "nosuch:LONGTERM", "", "//h/p", "http://[::1]/x", "http://h/%20"],
        [
            "FOO bar",
            '(1,99X,"m")',
            "{0}x",
            "[",
            "[hour=0-6]P1D",
            "http:",
            "http://",
            "1:x",
            "a%",
            "a#b#c",
            "http://[::1/",
        ],
    ),
    "uri-with-properties": (["${jboss.server.data.url}/b", "http://h/x"], ["{0}x", "FOO bar"]),
    "value-selector": (
        ['DicomAttribute[@tag="00100010"]', 'DicomAttribute[@tag="00100010"]/Value[@number="1"]'],
        ["FOO bar", 'DicomAttribute[@tag="00100010"]/Value[@number="x"]'],
    ),
    "viewport": (["64,64", "999,1"], ["0,1", "1000,1", "1, 1", "FOO bar", ""]),
    "vr-threshold": (["OB,OW=1024", "=1"], ["FOO bar", "XX=1", "OB=x", "OB=", "OB=1=2", "A=B"]),
}


def test_every_kind_has_examples() -> None:
    assert set(EXAMPLES) == set(KINDS) - FOLLOWED_REFERENCES


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_text_is_refused_exactly_when_the_archive_refuses_it(name: str) -> None:
    good, bad = EXAMPLES[name]
    kind = KINDS[name]
    assert {text: kind.find_problem(text) for text in good} == dict.fromkeys(good, "")
    assert [text for text in bad if not kind.find_problem(text)] == []


def test_an_enumeration_takes_its_constants_letter_by_letter() -> None:
    kind = get_value_kind("one-of", "NEVER", "ALWAYS")
    assert (kind.find_problem("ALWAYS"), kind.find_problem("always")) == (
        "",
        "the value must be one of NEVER, ALWAYS (case-sensitive)",
    )
    assert (kind.description, kind.constants) == ("one of NEVER, ALWAYS", ("NEVER", "ALWAYS"))


@pytest.mark.parametrize(
    ("bounds", "good", "bad"),
    [
        ((), ["-2147483648", "2147483647", "007"], ["2147483648", "-2147483649", "x", "", "9" * 5000]),
        ((1,), ["1", "99999999"], ["0", "-1"]),
        ((0, 23), ["0", "23"], ["-1", "24"]),
        ((1024, 4294967294), ["4294967294"], ["1023", "4294967295"]),
    ],
)
def test_an_integer_is_within_its_bounds(bounds: tuple[int, ...], good: list[str], bad: list[str]) -> None:
    kind = get_value_kind("integer", *bounds)
    assert [text for text in good if kind.find_problem(text)] == []
    assert [text for text in bad if not kind.find_problem(text)] == []


def test_a_connection_names_the_protocols_that_it_may_have() -> None:
    kind = get_value_kind("connection", "HL7", "HL7_MLLP2")
    assert (kind.description, kind.constants) == (
        "the DN of a connection of the same device (HL7 or HL7_MLLP2)",
        ("HL7", "HL7_MLLP2"),
    )


@given(text=st.text(alphabet=st.sampled_from("ab019[](){}|*+?,:;=&%#@/\\.-'\"$^§é \n"), max_size=30))
@settings(max_examples=300)
def test_no_text_breaks_a_kind_and_no_message_repeats_it(text: str) -> None:
    for kind in KINDS.values():
        problem = kind.find_problem(text)
        assert len(text) < 12 or text not in problem


@pytest.mark.parametrize(
    "text", ["(" * 50_000, "[" * 50_000, "a{1}" * 20_000, "{a}" * 20_000, "A=" + "(?:" * 20_000, "1." * 50_000]
)
def test_a_value_of_100_kb_is_judged_at_once(text: str) -> None:
    started = time.process_time()
    for kind in KINDS.values():
        kind.find_problem(text)
    assert time.process_time() - started < 5
