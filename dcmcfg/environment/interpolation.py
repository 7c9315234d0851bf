"""Replace variables in values as Docker Compose does (``${NAME:-default}``), and as Kubernetes does (``$(NAME)``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KUBERNETES = re.compile(r"\$\$|\$\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)")
#: Levels of defaults in defaults, and characters of a value. Variables that contain others could grow without a bound.
_MAX_DEPTH, _MAX_LENGTH = 20, 65_536


@dataclass
class Interpolation:
    """The values of variables by name (None: unknown), and the names in ``unset`` that were used without a value."""

    values: Mapping[str, str | None]
    unset: list[str] = field(default_factory=list)

    def replace(self, text: str) -> str | None:
        """Return *text* with the values of its variables; None if a value is unknown, or the syntax is invalid.

        The forms are ``$NAME``, ``${NAME}``, ``${NAME:-default}``, ``${NAME-default}``, ``${NAME:?error}``,
        ``${NAME?error}``, ``${NAME:+other}``, ``${NAME+other}``; ``$$`` is a dollar sign. Defaults can contain
        variables.
        """
        return self._replace(text, 0)

    def _replace(self, text: str, depth: int) -> str | None:
        if depth > _MAX_DEPTH:
            return None
        parts: list[str] = []
        position = 0
        while (start := text.find("$", position)) >= 0:
            parts.append(text[position:start])
            rest = text[start + 1 : start + 2]
            if rest == "$":
                parts.append("$")
                position = start + 2
            elif rest == "{":
                end = _find_end(text, start + 2)
                value = None if end < 0 else self._evaluate(text[start + 2 : end], depth)
                if value is None:
                    return None
                parts.append(value)
                position = end + 1
            elif match := _NAME.match(text, start + 1):
                value = self._get_value(match[0])
                if value is None:
                    return None
                parts.append(value)
                position = match.end()
            else:
                parts.append("$")
                position = start + 1
        result = "".join((*parts, text[position:]))
        return result if len(result) <= _MAX_LENGTH else None

    def _evaluate(self, expression: str, depth: int) -> str | None:
        """Return the value of *expression*, the text between the braces."""
        match = _NAME.match(expression)
        if match is None:
            return None
        name, rest = match[0], expression[match.end() :]
        is_set, value = name in self.values, self.values.get(name)
        if not rest:
            return self._get_value(name)
        must_be_filled = rest.startswith(":")
        operator, operand = rest.removeprefix(":")[:1], rest.removeprefix(":")[1:]
        if is_set and value is None:
            return None
        has_value = bool(value) if must_be_filled else is_set
        match operator:
            case "-":
                return value if has_value else self._replace(operand, depth + 1)
            case "+":
                return self._replace(operand, depth + 1) if has_value else ""
            case "?":
                if not has_value:
                    self.unset.append(name)
                return value if has_value else None
            case _:
                return None

    def _get_value(self, name: str) -> str | None:
        if name not in self.values:
            self.unset.append(name)
        return self.values.get(name)


def _find_end(text: str, start: int) -> int:
    """Return the position of the brace that closes the one before *start*; -1 if there is none."""
    depth = 1
    for position in range(start, len(text)):
        if text.startswith("${", position):
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if not depth:
                return position
    return -1


def replace_kubernetes_references(text: str, values: Mapping[str, str | None]) -> str | None:
    """Return *text* with ``$(NAME)`` replaced by *values*; None if the value is unknown.

    A name without a value stays as it is, and ``$$(NAME)`` is not replaced (Kubernetes, dependent variables).
    """
    parts: list[str] = []
    position = 0
    for match in _KUBERNETES.finditer(text):
        parts.append(text[position : match.start()])
        position = match.end()
        name = match[1]
        if name is None:
            parts.append("$")
        elif name in values:
            value = values[name]
            if value is None:
                return None
            parts.append(value)
        else:
            parts.append(match[0])
    result = "".join((*parts, text[position:]))
    return result if len(result) <= _MAX_LENGTH else None
