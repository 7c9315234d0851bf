"""What comes from a tree or from peers cannot become markup in a report, and secrets are in no report."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dcmcfg.render.change_lines import ChangeLine
from dcmcfg.render.html.report_page import render_report_page
from dcmcfg.render.report import Report, ReportCell, ReportSection
from dcmcfg.render.report_markdown import render_report_markdown
from tests.render.reports.examples import NEW_SECRET, OLD_SECRET, build_reports

_VOID = frozenset({"meta", "br", "wbr"})
#: HTML that a report in Markdown may have when it is shown.
_MARKDOWN_TAGS = frozenset(
    {"h1", "h2", "ul", "li", "p", "table", "thead", "tr", "th", "tbody", "td", "code", "pre", "br"}
)


class Page(HTMLParser):
    """The tags of a page; an assertion fails where one is not closed, or has an attribute that loads or runs."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open_tags: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)
        self.close()
        assert self.open_tags == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, _ in attrs:
            assert name not in {"src", "href", "style", "srcset", "action"}
            assert not name.startswith("on")
        if tag not in _VOID:
            self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag


def make_hostile_report(text: str) -> Report:
    """Return a report with *text* in each of its parts."""
    line = text if text.isprintable() else ascii(text)  # the text of lines is escaped already
    cells = (ReportCell(text), ReportCell(text, is_code=True), ReportCell(text, rating="bad"))
    return Report(
        command=text,
        headline=text,
        facts=((text, text), ("code", ReportCell(text, is_code=True))),
        sections=(
            ReportSection(
                title=text,
                sentences=(text,),
                facts=((text, text),),
                changes=tuple(ChangeLine(sign, line, depth, line) for sign in "+-~" for depth in (0, 1, 2)),
                columns=(text, "b", "c"),
                rows=(cells, (ReportCell("x", details=(text,) * 2), ReportCell(text, details=(text,) * 5), cells[2])),
                items=(text,),
                text=text,
                text_language="ldif",
                commands=(text,),
            ),
            ReportSection(title="matrix", columns=(text, "b", "c"), rows=(cells,), is_matrix=True),
        ),
    )


def check_page(report: Report) -> None:
    text = "".join(render_report_page(report))
    page = Page(text)
    assert page.tags.isdisjoint({"script", "img", "a", "iframe", "link", "form", "object"})
    assert text.count("<h1>") == 1
    assert "url(" not in text.split("<body>")[0]
    assert text.replace("\n", "").isprintable()


def check_markdown(report: Report) -> None:
    text = "".join(render_report_markdown(report))
    assert text.replace("\n", "").isprintable()
    shown = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)
    assert set(re.findall(r"<(\w+)", shown)) <= _MARKDOWN_TAGS
    assert shown.count("<h1>") == 1
    assert shown.count("<h2>") == len(report.sections)
    for table in shown.split("<table>")[1:]:
        rows = [each.count("<td>") + each.count("<th>") for each in table.split("</table>")[0].split("<tr>")[1:]]
        assert len(set(rows)) == 1, table


#: Single characters with a meaning in Markdown or HTML, and their usual combinations.
_PIECES = st.sampled_from(
    [
        *"`|<>&*_[!#-+=\\\n\r\x1b\u2028 \t\"'a",
        *("```", "<script>", "&lt;", "~~", "](http://h/)", "@all", "www.x.org", "http://x", "1.", "</pre>", "</code>"),
    ]
)


@settings(max_examples=60)
@given(st.one_of(st.text(max_size=20), st.lists(_PIECES, max_size=8).map("".join)))
def test_no_text_becomes_markup(text: str) -> None:
    report = make_hostile_report(text)
    check_page(report)
    check_markdown(report)


@pytest.mark.parametrize("value", ["<script>x</script>|`a` **b**", "``` \x1b[2J\n# h", "x"])
def test_the_reports_of_all_commands_are_safe_and_without_secrets(tmp_path: Path, value: str) -> None:
    for report in build_reports(tmp_path, value).values():
        check_page(report)
        check_markdown(report)
        for text in ("".join(render_report_page(report)), "".join(render_report_markdown(report))):
            assert OLD_SECRET not in text
            assert NEW_SECRET not in text
