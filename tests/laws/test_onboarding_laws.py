"""Laws of files of AEs: what is written is read again, and a tree told as a file is so already."""

from __future__ import annotations

import json
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.entry import Entry
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.onboarding.classification import classify_rows
from dcmcfg.onboarding.delimited import read_delimited, write_rows
from dcmcfg.onboarding.row import COLUMNS, Sheet, make_row_values
from dcmcfg.onboarding.yaml_json import read_json, read_yaml
from tests.trees import DEVICES, site_entries, tree

Values = dict[str, str]
Reader = Callable[[str, str], Sheet]

#: What a cell may hold: any text without blanks at its ends, line ends included.
CELLS = st.text(st.characters(codec="utf-8"), max_size=8).map(str.strip).filter(bool)
PRINTABLE = st.text(st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S")), min_size=1, max_size=8)
TEXTS = CELLS.filter(lambda text: "\0" not in text)


def rows(cells: st.SearchStrategy[str]) -> st.SearchStrategy[list[Values]]:
    row = st.dictionaries(st.sampled_from(COLUMNS), cells, max_size=len(COLUMNS))
    return st.lists(st.builds(lambda row, title: row | {"title": title}, row, cells), min_size=1, max_size=5)


def values(sheet: Sheet) -> list[Values]:
    return [dict(row.values) for row in sheet.rows]


def written_again(read: Reader, text: str, reason: str) -> Sheet:
    """The sheet in *text*, every row of it left out with *reason*, and that read."""
    sheet = read("x", text)
    return read("y", sheet.source_format.write_rejected_rows(dict.fromkeys(range(len(sheet.rows)), reason), reason))


@given(rows(CELLS), CELLS, st.sampled_from(",;\t"))
def test_delimited_rows_are_read_as_they_were_written(wanted: list[Values], reason: str, delimiter: str) -> None:
    text = write_rows(wanted)
    assert values(read_delimited("x", text)) == wanted
    again = written_again(read_delimited, text, reason)
    assert (values(again), again.warnings) == (wanted, ())
    other = ";".join(COLUMNS).replace(";", delimiter) + text[text.index("\n") :]
    if delimiter == ",":
        assert values(written_again(read_delimited, other, reason)) == wanted


@given(rows(TEXTS), TEXTS)
def test_json_rows_are_read_as_they_were_written(wanted: list[Values], reason: str) -> None:
    text = json.dumps({"aes": wanted}, indent=1)
    assert values(read_json("x", text)) == wanted
    assert values(written_again(read_json, text, reason)) == wanted


@given(rows(PRINTABLE), TEXTS)
def test_yaml_rows_are_read_as_they_were_written(wanted: list[Values], reason: str) -> None:
    text = json.dumps(wanted, ensure_ascii=False)  # which is YAML
    assert values(read_yaml("x", text)) == wanted
    assert values(written_again(read_yaml, text, reason)) == wanted


@given(
    st.dictionaries(TEXTS, st.tuples(TEXTS, TEXTS, st.integers(0, 70_000), st.booleans()), min_size=1, max_size=5),
    TEXTS,
    st.booleans(),
)
def test_modalities_of_orthanc_are_read_as_they_were_written(
    modalities: dict[str, tuple[str, str, int, bool]], reason: str, as_objects: bool
) -> None:
    content = {
        name: {"AET": title, "Host": host, "Port": port, "UseDicomTls": tls} if as_objects else [title, host, port]
        for name, (title, host, port, tls) in modalities.items()
    }
    text = json.dumps({"Name": "x", "DicomModalities": content})
    wanted = values(read_json("x", text))
    assert [(row["title"], row["host"], row["port"]) for row in wanted] == [
        (title, host, str(port)) for title, host, port, _ in modalities.values()
    ]
    assert values(written_again(read_json, text, reason)) == wanted


# ---- trees

TITLES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x17F), min_size=1, max_size=18).filter(str.strip)
WORDS = st.sampled_from(["", "h", "H.example.org", " odd ", "::1", "a b"])
PORTS = st.sampled_from(["", "104", "0104", "70000", "x", "11112"])


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """The small site with more devices: odd titles, AEs without or with several connections, other types."""
    entries = list(site_entries())
    for number in range(draw(st.integers(0, 4))):
        dn = f"dicomDeviceName=d{number},{DEVICES}"
        kind = {"dicomPrimaryDeviceType": "ARCHIVE"} if draw(st.booleans()) else {}
        device = {"objectClass": "dicomDevice", "dicomDeviceName": f"d{number}", "dicomInstalled": "TRUE"}
        entries.append(Entry.from_values(dn, device | kind))
        connections = []
        for name in draw(st.lists(st.sampled_from(["dicom", "other", "dicom-tls"]), unique=True, max_size=3)):
            held = {"objectClass": "dicomNetworkConnection", "cn": name, "dicomHostname": draw(WORDS)}
            port = draw(PORTS)
            suites = {"dicomTLSCipherSuite": "X"} if name == "dicom-tls" else {}
            entries.append(Entry.from_values(f"cn={name},{dn}", held | ({"dicomPort": port} if port else {}) | suites))
            connections.append(f"cn={name},{dn}")
        above = entries[-1 - len(connections)].dn
        for title in draw(st.lists(TITLES, max_size=3, unique_by=str.strip)):
            ae = {
                "objectClass": "dicomNetworkAE",
                "dicomAETitle": title,
                "dicomNetworkConnectionReference": tuple(draw(st.permutations(connections))) if connections else dn,
                "dicomAssociationInitiator": "TRUE",
                "dicomAssociationAcceptor": draw(st.sampled_from(["TRUE", "FALSE"])),
            }
            text = draw(CELLS | st.just(""))
            entries.append(
                Entry.from_values(above.child("dicomAETitle", title), ae | ({"dicomDescription": text} if text else {}))
            )
    return tree(*entries)


@given(trees())
@settings(max_examples=150)
def test_a_tree_told_as_a_file_is_so_already(held: Tree) -> None:
    configuration = Configuration(held)
    text = write_rows(make_row_values(ae) for ae in configuration.network_aes())
    sheet = read_delimited("x", text)
    found = classify_rows(configuration, sheet.rows)
    assert (found.new, found.rejected, found.warnings, sheet.warnings) == ((), (), (), ())
    assert len(found.unchanged) == sum(1 for _ in configuration.network_aes())
