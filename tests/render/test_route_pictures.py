"""Pictures of a route: as Mermaid, as SVG."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from dcmcfg.render.html.sequence_diagram import (
    DiagramMessage,
    FinalResponse,
    SequenceDiagram,
    build_sequence_diagrams,
    merge_participants,
    render_mermaid,
    render_svg,
)
from dcmcfg.route.request import StudyState
from tests.route.sites import put, route

BACK = put("dcmExternalRetrieveAEDestination", "DCM4CHEE")
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<script>;#"&%\\x1b'


def drawn(found: tuple[SequenceDiagram, ...]) -> ET.Element:
    return ET.fromstring("".join(render_svg(found)))


def test_a_path_is_a_sequence_diagram() -> None:
    found = build_sequence_diagrams(route([BACK], state=StudyState.PURGED))
    assert list(render_mermaid(found)) == [
        "sequenceDiagram",
        "  participant p0 as VIEWER",
        "  participant p1 as DCM4CHEE",
        "  participant p2 as LONGTERM",
        "  participant p3 as STORESCP",
        "  Note over p0,p3: purged delivered, if the prerequisites hold: objects that the external archive sends "
        "back to the archive "
        "(LONGTERM)",
        "  p0->>p1: C-MOVE, Move Destination STORESCP<br/>127.0.0.1:3",
        "  p1->>p2: C-MOVE as VIEWER, Move Destination DCM4CHEE<br/>127.0.0.1:4",
        "  p2->>p1: C-STORE as LONGTERM<br/>127.0.0.1:3",
        "  p1->>p3: C-STORE as DCM4CHEE<br/>127.0.0.1:5",
        "  p1-->>p0: 0000",
        "  Note over p0,p3: requires: LONGTERM accepts C-MOVE from VIEWER",
        "  Note over p0,p3: requires: LONGTERM knows DCM4CHEE at 127.0.0.1:3",
        "  Note over p0,p3: requires: STORESCP accepts C-STORE from DCM4CHEE",
    ]


def test_a_refusal_is_drawn_as_request_and_response() -> None:
    (found,) = build_sequence_diagrams(route(dest="NOBODY"))
    assert [(each.label, each.is_response) for each in found.messages] == [
        ("C-MOVE, Move Destination NOBODY", False),
        ("A801 Unknown AE: NOBODY", True),
    ]
    assert found.remarks == ("no AE has the title NOBODY",)


@pytest.mark.parametrize(
    ("response", "answer", "moods"),
    [
        (None, "0000", ("good", "good")),
        (FinalResponse("0000", "good"), "0000", ("good", "good")),
        (FinalResponse("A702", "bad"), "A702 (expected: 0000)", ("open", "bad")),
    ],
)
def test_an_actual_response_replaces_the_expected_one(
    response: FinalResponse | None, answer: str, moods: tuple[str, str]
) -> None:
    (found,) = build_sequence_diagrams(route([BACK], state=StudyState.PURGED), response)
    last = found.messages[-1]
    assert (last.label, (found.rating, last.rating)) == (answer, moods)


def test_a_response_other_than_the_expected_refusal_shows_both() -> None:
    (found,) = build_sequence_diagrams(route(dest="NOBODY"), FinalResponse("0000", "open"))
    assert (found.messages[-1].label, found.rating) == ("0000 (expected: A801 Unknown AE: NOBODY)", "bad")


def test_each_label_is_within_the_bounds_of_the_image() -> None:
    found = build_sequence_diagrams(route([BACK]))
    picture = drawn(found)
    width, height = (float(each) for each in picture.attrib["viewBox"].split()[2:])
    texts = picture.findall(f"{SVG}text")
    labels = {each.text for each in texts}
    assert {message.label for sequence in found for message in sequence.messages} <= labels
    for each in texts:
        room = len(each.text or "") * 7.3
        x, y = float(each.attrib["x"]), float(each.attrib["y"])
        left = x - room / 2 if each.attrib.get("text-anchor") == "middle" else x
        assert left >= 0, each.text
        assert left + room <= width, each.text
        assert 0 < y < height, each.text


def test_labels_over_one_arrow_do_not_reach_beyond_it() -> None:
    (found,) = build_sequence_diagrams(route([BACK], state=StudyState.PURGED))
    picture = drawn((found,))
    arrows = [each for each in picture.findall(f"{SVG}line") if "arrow" in each.attrib["class"]]
    lengths = [abs(float(each.attrib["x1"]) - float(each.attrib["x2"])) for each in arrows]
    for message, length in zip(found.messages, lengths, strict=True):
        assert max(len(message.label), len(message.sublabel)) * 7.3 < length


@pytest.mark.parametrize("names", [("A", "B"), ("A", "A")])
def test_all_drawn_text_is_escaped(names: tuple[str, str]) -> None:
    sequence = SequenceDiagram(
        HOSTILE, "bad", (DiagramMessage(*names, HOSTILE, HOSTILE, rating="bad"),), (HOSTILE * 30,)
    )
    picture = drawn((sequence,))
    assert HOSTILE in {each.text for each in picture.findall(f"{SVG}text")}
    assert not picture.findall(".//script")
    for line in render_mermaid((sequence,)):
        assert not re.search(r"<(?!br/>)|;(?<!\d;)", line), line


def test_a_caller_that_is_also_the_destination_is_one_participant() -> None:
    (found,) = build_sequence_diagrams(route(dest="STORESCP", calling="STORESCP", state=StudyState.LOCAL))
    assert found.participants == ("STORESCP", "DCM4CHEE")


def test_all_diagrams_of_a_picture_have_the_participants_in_the_same_order() -> None:
    local = SequenceDiagram(
        "a", "good", (DiagramMessage("VIEWER", "ARCHIVE", "x"), DiagramMessage("ARCHIVE", "D", "y"))
    )
    recall = SequenceDiagram(
        "b",
        "good",
        (
            DiagramMessage("VIEWER", "ARCHIVE", "x"),
            DiagramMessage("ARCHIVE", "LONGTERM", "y"),
            DiagramMessage("LONGTERM", "D", "a label that is wider than the others"),
        ),
    )
    assert merge_participants((local, recall)) == ("VIEWER", "ARCHIVE", "LONGTERM", "D")
    boxes: dict[str, set[str]] = {}
    for each in drawn((local, recall)).iter(f"{SVG}text"):
        if each.text in {"VIEWER", "ARCHIVE", "LONGTERM", "D"}:
            boxes.setdefault(each.text, set()).add(each.attrib["x"])
    positions = {name: float(x) for name, (x,) in boxes.items()}
    assert sorted(positions, key=lambda name: positions[name]) == ["VIEWER", "ARCHIVE", "LONGTERM", "D"]
