"""The words that a person reads: messages, help, docstrings, comments and pages use the terms of the field.

Each row of :data:`FORBIDDEN` is an expression that the project used before, and the term that it uses now.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: Expression → what to write instead.
FORBIDDEN = {
    r"\bcarr(y|ies|ied|ying) (it |this |that |them |\w+ )?out\b": "apply, applied",
    r"\b(take|takes|taken|took|taking) (it |this |that |them )?back\b|\bway back\b": "undo, revert",
    r"\balready so\b|\bis so already\b|\bare so already\b": "unchanged, already set",
    r"\bfor granted\b": "precondition",
    r"\bdoubt(s|ful)?\b": "warning",
    r"\b(what|something|anything|nothing|whatever) (is|was) wrong\b|\bsomething wrong\b": "error, problem",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\b(is|are|was|were|be|been) told\b|\btells?\b|\btold\b": "show, report, print",
    r"\b(it|log|record|server|archive|peer) says\b|\bis said\b": "according to, reports",
    r"\bneeds are met\b": "prerequisites",
    r"\bby its own account\b|\bsays its own\b": "as reported by, per its log",
    r"\bnear miss(es)?\b": "did you mean",
    r"\b(that|which) is (?-i:none)\b|\bwhen it is (?-i:none)\b": "unknown, none, missing",
    r"\bthe other side\b|\bwhoever\b": "the remote system, the external archive",
    r"\bas (it is|they are) wanted\b": "desired state",
    r"\btakes? no notice\b|\bcounts? for nothing\b": "ignore, skip",
    r"\boccasions?\b": "run, session",
    r"\basked again\b|\bwaited for\b": "retry, time-out",
    r"\bwho answers\b|\bcallee\b": "peer",
    r"\bslips? of the pen\b": "typo",
    r"\bwitness(es|ed)?\b|\bseen by us\b": "observed by the receiver",
    r"\btree has moved\b": "the configuration has changed",
}
_PATTERNS = [(re.compile(expression, re.IGNORECASE), term) for expression, term in FORBIDDEN.items()]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))


def find_texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each string and comment of the Python *source*."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, " ".join(node.value.split())
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def find_forbidden(text: str) -> Iterator[str]:
    """Yield each forbidden expression in *text*, with the term to write."""
    for pattern, term in _PATTERNS:
        for match in pattern.finditer(text):
            yield f"{match[0]!r}: write {term}"


@pytest.mark.parametrize("path", sorted((ROOT / "dcmcfg").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_in_the_code_uses_a_forbidden_expression(path: Path) -> None:
    found = [
        f"{line}: {problem} in {text!r}"
        for line, text in find_texts(path.read_text("utf-8"))
        for problem in find_forbidden(text)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_page_uses_a_forbidden_expression(path: Path) -> None:
    lines = enumerate(path.read_text("utf-8").splitlines(), 1)
    found = [f"{number}: {problem} in {line!r}" for number, line in lines for problem in find_forbidden(line)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("text", ["Carry this out?", "what mends it:", "by its own account", "a keyword that is none"])
def test_a_forbidden_expression_is_found(text: str) -> None:
    assert list(find_forbidden(text))
