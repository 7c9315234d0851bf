"""The drawing of a map: nothing overlaps, whatever the site; texts stay in their boxes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from dcmcfg.entry import Entry
from dcmcfg.lint.linter import lint
from dcmcfg.model.tree import Tree
from dcmcfg.render.site_map.drawing import Drawing, Frame, NodeItem, TextItem
from dcmcfg.render.site_map.layout import MapHeading, lay_out
from dcmcfg.topology.site_map import build_site_map
from tests.topology.hospital import build_hospital
from tests.topology.sites import archive_ae, exporter, peer, site, storage
from tests.topology.test_site_map import NOW
from tests.trees import DEVICES, connection, network_ae, storage_scp, tree

HOSTILE = '</text><script>alert("1")</script>&\x1b[31m'
Rectangle = tuple[float, float, float, float]


def build_several_archives() -> Tree:
    second = f"dicomDeviceName=arc2,{DEVICES}"
    device = Entry.from_values(
        second,
        {
            "objectClass": ("dicomDevice", "dcmDevice", "dcmArchiveDevice"),
            "dicomDeviceName": "arc2",
            "dicomInstalled": "FALSE",
            "dicomDescription": "Ωmega 中文 " * 40,
        },
    )
    return site(
        *peer("VIEW", "WSD"),
        *peer("W" * 40, HOSTILE, dicomDescription=HOSTILE),
        *(each for n in range(30) for each in peer(f"M{n}", "CT", port=None, dicomDescription="x" * 300)),
        *(exporter(f"exporter number {n} with a long name", f"dicom:UNKNOWN{n}") for n in range(3)),
        *(storage(f"fs{n}", dcmExternalRetrieveAET="VIEW", dicomDescription="slow " * 30) for n in range(4)),
        *(archive_ae(f"AE{n}", dcmObjectStorageID=f"fs{n % 4}", dcmAcceptedCallingAETitle=f"M{n}") for n in range(9)),
        device,
        connection(second),
        network_ae(second, "SECOND", dcmAcceptedCallingAETitle=HOSTILE, dicomDescription=HOSTILE),
        storage_scp(second, "SECOND"),
        dcmFallbackCMoveSCP="OLDPACS",
        dcmFwdMppsDestination="RIS",
    )


SITES: dict[str, Callable[[], Tree]] = {
    "small": site,
    "several archives": build_several_archives,
    "300 AEs": build_hospital,
    "no archive": lambda: tree(*(each for each in site().entries.values() if "dcm4chee-arc" not in str(each.dn))),
}


def draw(source: Tree) -> Drawing:
    site_map = build_site_map(source, lint(source, NOW))
    heading = MapHeading("Site map of a site with a name that is long " * 5, "ldap://localhost")
    return lay_out(site_map.topology, site_map.grouped, site_map.findings.by_node, heading)


@pytest.fixture(scope="module", params=SITES)
def drawing(request: pytest.FixtureRequest) -> Drawing:
    return draw(SITES[request.param]())


def list_texts(drawing: Drawing) -> Iterator[TextItem]:
    yield from drawing.texts
    boxes: list[Frame | NodeItem] = [*drawing.frames, *drawing.nodes]
    for each in boxes:
        yield from each.texts


def measure(text: TextItem) -> Rectangle:
    """Return left, top, right and bottom; letters are about as high above the baseline as 0.8 of the size."""
    size = text.style.size
    return text.x, text.y - 0.8 * size, text.x + text.style.measure(text.text), text.y + 0.2 * size


def intersect(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_no_text_overlaps_another(drawing: Drawing) -> None:
    texts = sorted(list_texts(drawing), key=lambda each: measure(each)[1])
    assert len(texts) > 5
    for index, text in enumerate(texts):
        for other in texts[index + 1 :]:
            if measure(other)[1] >= measure(text)[3]:
                break
            assert not intersect(measure(text), measure(other)), (text.text, other.text)


def test_no_line_crosses_a_text(drawing: Drawing) -> None:
    rectangles = [(measure(each), each.text) for each in list_texts(drawing)]
    for line in drawing.lines:
        for (x1, y1), (x2, y2) in pairwise(line.points):
            segment = min(x1, x2) - 0.5, min(y1, y2) - 0.5, max(x1, x2) + 0.5, max(y1, y2) + 0.5
            for rectangle, text in rectangles:
                assert not intersect(segment, rectangle), (line, text)


def test_texts_and_signs_stay_in_their_boxes_and_boxes_in_the_picture(drawing: Drawing) -> None:
    boxes: list[Frame | NodeItem] = [*drawing.frames, *drawing.nodes]
    for box in boxes:
        right, bottom = box.x + box.width, box.y + box.height
        assert box.x >= 0
        assert box.y >= 0
        assert right <= drawing.width
        assert bottom <= drawing.height
        for text in box.texts:
            left, top, text_right, text_bottom = measure(text)
            assert left >= box.x, text.text
            assert top >= box.y - 1, text.text
            assert text_right <= right + 1, text.text
            assert text_bottom <= bottom + 1, text.text
    for node in drawing.nodes:
        if node.marker is not None:
            assert node.x <= node.marker.x - 6
            assert node.marker.x + 6 <= node.x + node.width + 1
    assert all(measure(text)[2] <= drawing.width for text in drawing.texts)


def test_boxes_of_nodes_do_not_overlap(drawing: Drawing) -> None:
    nodes = [(node.x, node.y, node.x + node.width, node.y + node.height) for node in drawing.nodes]
    for index, one in enumerate(nodes):
        assert not any(intersect(one, other) for other in nodes[index + 1 :])


def test_each_line_ends_at_a_box_or_at_another_line(drawing: Drawing) -> None:
    for line in drawing.lines:
        assert all(x1 == x2 or y1 == y2 for (x1, y1), (x2, y2) in pairwise(line.points))


def test_lines_that_end_at_one_block_are_apart() -> None:
    drawn = draw(build_several_archives())
    ends = sorted(
        (line.points[0][0], line.points[0][1]) for line in drawn.lines if line.groups and len(line.points) > 1
    )
    for (x1, y1), (x2, y2) in pairwise(ends):
        assert x1 != x2 or y1 == y2 or y2 - y1 >= 4


def test_the_layout_is_reproducible() -> None:
    assert draw(build_several_archives()) == draw(build_several_archives())


def test_300_aes_have_their_title_in_full() -> None:
    titles = {text.text for text in list_texts(draw(build_hospital()))}
    assert {"CT_ROOM024", "US_ROOM048", "READING064", "GATEWAY24", "LONGTERM"} <= titles
    assert not any("…" in text for text in titles if text.startswith(("CT_", "US_", "READING")))
