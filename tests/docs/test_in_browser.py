"""The built site in a browser: no page is wider than a phone, nothing is loaded from elsewhere, and the search finds.

Only with ``DCMCFG_LONG``: the build and the browser take half a minute.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.sampling import LONG

ROOT = Path(__file__).parents[2]
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
PHONE_WIDTH = 400

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not LONG, reason="a browser reads the whole site only with DCMCFG_LONG"),
    pytest.mark.skipif(BROWSER is None, reason="no browser is installed: the site is not looked at"),
    pytest.mark.skipif(find_spec("sphinx") is None, reason="Sphinx is not installed (make site installs it)"),
]

#: Opens each page in a frame, and writes of each what is cut off, what it loads from elsewhere, and broken pictures.
MEASURE = """<pre id="out"></pre><script>
(async () => {
  const found = {};
  for (const page of PAGES) {
    const frame = document.createElement("iframe");
    frame.style.width = "WIDTHpx";
    document.body.append(frame);
    await new Promise(done => { frame.onload = done; frame.src = page; });
    await new Promise(done => setTimeout(done, 30));
    const inside = frame.contentDocument;
    const loaded = frame.contentWindow.performance.getEntriesByType("resource").map(each => each.name);
    const scrolling = ".highlight, .table-wrapper, p:has(> img)";
    const wide = [...inside.querySelectorAll("article *")].filter(
      each => each.getBoundingClientRect().right > WIDTH + 1 && !each.closest(scrolling)
    );
    found[page] = {
      wide: wide.map(each => each.tagName + " " + each.textContent.slice(0, 40)),
      foreign: loaded.filter(name => !name.startsWith(location.origin)),
      broken: [...inside.images].filter(each => each.complete && !each.naturalWidth).map(each => each.src),
    };
    frame.remove();
  }
  document.getElementById("out").textContent = JSON.stringify(found);
})();
</script>"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print no requests."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("site")
    make = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "-n", "--keep-going", "-q"]
    subprocess.run([*make, "-d", built / "cache", ROOT / "docs", built / "site"], check=True)
    return built / "site"


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def shown(url: str, profile: Path) -> str:
    """Return the HTML of a page after its scripts have run, in a browser that reaches no other host."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--dump-dom"]
    options += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--virtual-time-budget=200000"]
    done = subprocess.run([str(BROWSER), *options, url], capture_output=True, text=True, check=True, timeout=200)
    return done.stdout


def test_each_page_fits_a_phone_and_loads_nothing_from_elsewhere(folder: Path, address: str, tmp_path: Path) -> None:
    pages = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.html"))]
    # The measurement must be able to fail.
    faulty = '<div style="width: 700px">wide</div><img src="none.png"><img src="http://cdn.example.org/x.png">'
    (folder / "faulty.html").write_text((folder / "index.html").read_text().replace("<h1>", f"{faulty}<h1>", 1))
    measure = MEASURE.replace("PAGES", json.dumps([*pages, "faulty.html"])).replace("WIDTH", str(PHONE_WIDTH))
    (folder / "measure.html").write_text(measure)
    (text,) = re.findall(r'<pre id="out">(.*?)</pre>', shown(f"{address}/measure.html", tmp_path))
    found = json.loads(html.unescape(text))
    fault = found.pop("faulty.html")
    assert fault["wide"] == ["DIV wide"]
    assert fault["foreign"] == ["http://cdn.example.org/x.png"]
    assert f"{address}/none.png" in fault["broken"]
    assert len(found) == len(pages) > 50
    expected: dict[str, list[str]] = {"wide": [], "foreign": [], "broken": []}
    assert {page: each for page, each in found.items() if each != expected} == {}


def test_the_search_finds_without_a_program_on_the_server(folder: Path, address: str, tmp_path: Path) -> None:
    for number, url in enumerate((f"{address}/search.html", f"file://{folder}/search.html")):
        text = shown(f"{url}?q=dcmExternalRetrieveAEDestination", tmp_path / str(number))
        assert re.search(r"found \d\d pages? matching", text), url
        assert "reference/commands/set-external-retrieve.html" in text, url
