"""Sequences as a Mermaid diagram, which Markdown viewers draw."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Several

from dcmcfg.render.sequence import Sequence


def mermaid(sequences: Several[Sequence]) -> Iterator[str]:
    """Yield the lines of one ``sequenceDiagram`` with all of *sequences*, each below a note that heads it."""
    names = tuple(dict.fromkeys(name for each in sequences for name in each.participants))
    ids = {name: f"p{number}" for number, name in enumerate(names)}
    yield "sequenceDiagram"
    for name, short in ids.items():
        yield f"  participant {short} as {_text(name)}"
    across = ",".join(dict.fromkeys((ids[names[0]], ids[names[-1]])))
    for sequence in sequences:
        yield f"  Note over {across}: {_text(sequence.heading)}"
        for message in sequence.messages:
            arrow = "-->>" if message.answer else "->>"
            below = f"<br/>{_text(message.below)}" if message.below else ""
            yield f"  {ids[message.sender]}{arrow}{ids[message.receiver]}: {_text(message.above)}{below}"
        for remark in sequence.remarks:
            yield f"  Note over {across}: {_text(remark)}"


def _text(text: str) -> str:
    """Return *text* with what Mermaid takes for its own as numbered characters."""
    return "".join(f"#{ord(c)};" if c in '#;<>"&%' else c for c in text)
