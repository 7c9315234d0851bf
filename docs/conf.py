"""Configuration of the documentation site: ``make site`` builds it with Sphinx into ``build/site``.

The pages are plain Markdown with relative links, so that they also read well in a repository. The menu of the site
comes from these links: see :func:`find_menu`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from dcmcfg import __version__

_DOCS = Path(__file__).parent

project = "dcmcfg"
version = release = __version__
html_title = f"dcmcfg {version}"
language = "en"

extensions = ["myst_parser", "sphinx_copybutton"]
exclude_patterns = ["systemd/**"]
templates_path = ["_templates"]
# Headings have the same anchors as in a repository, up to this level.
myst_heading_anchors = 4
nitpicky = True
# The two hyphens of an option stay two hyphens in headings.
smartquotes = False

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_permalinks_icon = "#"
html_use_index = False
# One rule for light and dark: the outputs of a terminal are not coloured.
pygments_style = "default"
pygments_dark_style = "github-dark"
highlight_language = "text"

# The button of a console block copies its commands, without the prompt and the output.
copybutton_prompt_text = r"(?:\$|root#|adm1\$|op2\$) "
copybutton_prompt_is_regexp = True
copybutton_line_continuation_character = "\\"

#: Files outside this folder to which pages link, and the pages of the site that contain them.
_FILES = {"CONTRIBUTING.md": "/project/contributing.md", "CHANGELOG.md": "/project/changelog.md"}


def find_menu(name: str, text: str) -> list[str]:
    """Return the pages that the landing page *name* (without suffix) links to, in the order of the first links.

    These are pages of its own folder, and the landing pages of the folders below. ``commands.md`` is the landing page
    of the folder ``commands``; the landing page of other folders is ``index.md``.
    """
    here = _DOCS / name
    is_index = here.name == "index"
    base = here.parent if is_index else here
    found: dict[str, None] = {}
    for target in re.findall(r"\]\(([^)#:]+)\.md(?:#[^)]*)?\)", text):
        path = Path(here.parent, target)
        own = path.parent == base or (is_index and path.name == "index" and path.parent.parent == base)
        if own and path != here:
            found[path.relative_to(here.parent).as_posix()] = None
    return list(found)


def prepare_page(_app: Any, docname: str, source: list[str]) -> None:
    """Add the menu to a landing page, and lead links to files outside the folder to their pages on the site.

    Sphinx reports each page that is in no menu: a new page fails the build until its landing page links to it. Blocks
    in languages that it cannot highlight are shown as text: for drawings in Mermaid, a browser would load a program
    from the network.
    """
    text = re.sub(r"(?m)^( *)```(?:mermaid|csv)$", r"\1```text", source[0])
    for file, page in _FILES.items():
        text = re.sub(rf"\]\((?:\.\./)+{re.escape(file)}", f"]({page}", text)
    if docname.endswith("index") or (_DOCS / docname).is_dir():
        text += "\n\n```{toctree}\n:hidden:\n\n" + "\n".join(find_menu(docname, text)) + "\n```\n"
    source[0] = text


def setup(app: Any) -> dict[str, bool]:
    """Connect what prepares the text of each page."""
    app.connect("source-read", prepare_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
