"""Check the built site: it loads nothing from the network, and each link leads to a page and to a place on this page.

``python docs/check_site.py build/site`` prints each problem. ``make site`` runs it after the build.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Hosts that pages may link to: standards, and projects that dcmcfg stands on. A link is no load.
KNOWN_HOSTS = frozenset({"dicom.nema.org", "www.rfc-editor.org", "www.openldap.org", "www.sphinx-doc.org"})

#: Relations of a ``link`` element whose target the browser does not load.
_LINK_ONLY = frozenset({"index", "search", "next", "prev", "canonical", "author", "copyright", "alternate"})
_STYLE_LOAD = re.compile(r"""(?:url\(\s*|@import\s+)["']?(?P<url>[^"')\s;]+)""")
#: Scripts have addresses in comments and as names of XML; these forms load something.
_SCRIPT_LOAD = re.compile(r"""(?:fetch|import|importScripts|\.open|\.src\s*=)\s*\(?\s*["'`](?P<url>https?://[^"'`]+)""")


@dataclass
class Page(HTMLParser):
    """Links, loaded files and anchors of an HTML page."""

    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self._is_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the addresses of a start tag."""
        values = {name: value or "" for name, value in attrs}
        self.anchors.update(values[name] for name in ("id", "name") if name in values)
        self._is_style = tag == "style"
        self.loads += [each["url"] for each in _STYLE_LOAD.finditer(values.get("style", ""))]
        self.loads += [values[name] for name in ("src", "data", "poster") if name in values]
        self.loads += [each.split()[0] for each in values.get("srcset", "").split(",") if each.strip()]
        if href := values.get("href", values.get("xlink:href")):
            is_load = tag in {"image", "use"} or (tag == "link" and values.get("rel") not in _LINK_ONLY)
            (self.loads if is_load else self.links).append(href)

    def handle_data(self, data: str) -> None:
        """Take the addresses in a style sheet within the page."""
        if self._is_style:
            self.loads += [each["url"] for each in _STYLE_LOAD.finditer(data)]


def read_page(path: Path) -> Page:
    """Return links, loaded files and anchors of the HTML file *path*."""
    page = Page()
    page.feed(path.read_text("utf-8"))
    page.close()
    return page


def is_on_the_network(url: str) -> bool:
    """Return whether *url* names another host; data within the page does not."""
    return bool(urlsplit(url).netloc)


def find_problems(site: Path) -> Iterator[str]:
    """Yield each load from the network, each link to an unknown host, and each link without a target, of *site*."""
    pages = {path: read_page(path) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        for url in page.loads:
            if is_on_the_network(url):
                yield f"{name}: loads {url}"
            elif problem := _find_problem_of_link(path, url, pages):
                yield f"{name}: {problem}"
        for url in page.links:
            if is_on_the_network(url):
                if urlsplit(url).scheme != "https" or urlsplit(url).netloc not in KNOWN_HOSTS:
                    yield f"{name}: {url} is on no known host (KNOWN_HOSTS in docs/check_site.py)"
            elif problem := _find_problem_of_link(path, url, pages):
                yield f"{name}: {problem}"
    yield from _find_loads_of_files(site)


def _find_problem_of_link(path: Path, url: str, pages: dict[Path, Page]) -> str | None:
    parts = urlsplit(url)
    if parts.scheme:
        return None if parts.scheme == "data" else f"{url} has another scheme"
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return f"{url} leads to no file"
    anchor = unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].anchors:
        return f"{url} leads to no anchor"
    return None


def _find_loads_of_files(site: Path) -> Iterator[str]:
    for suffix, pattern in ((".css", _STYLE_LOAD), (".svg", _STYLE_LOAD), (".js", _SCRIPT_LOAD)):
        for path in sorted(site.rglob(f"*{suffix}")):
            for found in pattern.finditer(path.read_text("utf-8")):
                if is_on_the_network(found["url"]):
                    yield f"{path.relative_to(site).as_posix()}: loads {found['url']}"


def main(site: Path) -> int:
    """Print the problems of *site*; return the exit code."""
    problems = list(find_problems(site.resolve()))
    for each in problems:
        print(each, file=sys.stderr)
    count = sum(1 for _ in site.rglob("*.html"))
    print(f"{site}: {count} pages, {len(problems)} problems")
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
