"""Distinguished names: parse, print and compare them (RFC 4514)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from dcmcfg.errors import MalformedInput

#: The normal form of a DN, which is equal for equal names: RDNs leaf first, each a sorted tuple of (type, value).
NormalDN = tuple[tuple[tuple[str, str], ...], ...]
#: (attribute type, value) → the normal form of the value by the equality rule of that attribute.
NormaliseValue = Callable[[str, str], str]

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*")
_HEX_PAIR = re.compile(r"[0-9A-Fa-f]{2}")
_SPECIAL = set('"+,;<>\\')
#: The BER tags of OCTET STRING, UTF8String, PrintableString and IA5String.
_STRING_TAGS = {0x04, 0x0C, 0x13, 0x16}
_HEX_STRING = re.compile(r"#((?:[0-9A-Fa-f]{2})+) *")
_set = object.__setattr__
_NOT_SIMPLE = re.compile('[\x00"#+;<>\\\\\ud800-\udfff]')

_NEEDS_ESCAPING = re.compile('[\x00-\x1f"+,;<>\\\\\x7f\udc80-\udcff]|^[ #]| $')


def normalise_ignoring_case(attribute_type: str, value: str) -> str:  # noqa: ARG001 — the signature of NormaliseValue
    """Return the normal form of *value* for caseIgnoreMatch: case folded, repeated spaces replaced by one."""
    folded = value.casefold().strip(" ")
    return re.sub(" +", " ", folded) if "  " in folded else folded


def is_at_or_below(name: NormalDN, base: NormalDN) -> bool:
    """Return whether *name* is *base* or a descendant of it."""
    return len(name) >= len(base) and name[len(name) - len(base) :] == base


def root_first_sort_key(name: NormalDN) -> NormalDN:
    """Return the key that sorts *name* after its parent, and among its siblings by its RDN."""
    return name[::-1]


def sort_parents_first(names: Iterable[NormalDN]) -> list[NormalDN]:
    """Return *names* in the order in which entries can be added: parents before children."""
    return sorted(names, key=root_first_sort_key)


def sort_children_first(names: Iterable[NormalDN]) -> list[NormalDN]:
    """Return *names* in the order in which entries can be deleted: children before parents."""
    return sorted(names, key=root_first_sort_key, reverse=True)


class AncestorIndex:
    """A set of names that finds the nearest ancestor of a name in the set.

    The lookup tries each length of the names in the set. A tree has few different lengths, but a DN may have any
    number of RDNs.
    """

    def __init__(self) -> None:
        self._names: set[NormalDN] = set()
        self._lengths: set[int] = set()

    def add(self, name: NormalDN) -> None:
        """Add *name*."""
        self._names.add(name)
        self._lengths.add(len(name))

    def find_nearest(self, name: NormalDN) -> NormalDN | None:
        """Return the lowest name in the set at or above *name*, or None."""
        for length in sorted(self._lengths, reverse=True):
            if length <= len(name) and (above := name[len(name) - length :]) in self._names:
                return above
        return None


def find_rdn_offsets(text: str) -> tuple[int, ...]:
    """Return the offset of each RDN in the DN *text*, leaf first; raises :class:`MalformedInput`."""
    parser = _Parser(text)
    parser.parse_dn()
    return tuple(parser.starts)


@dataclass(frozen=True)
class RDN:
    """A relative distinguished name: one or more (type, value) pairs, whose order is not significant."""

    parts: tuple[tuple[str, str], ...]

    @staticmethod
    def of(attribute_type: str, value: str) -> RDN:
        """Return the single-valued RDN ``attribute_type=value``; *value* is plain text, not escaped."""
        return RDN(((attribute_type, value),))

    @staticmethod
    def parse(text: str) -> RDN:
        """Return the RDN in *text*; raises :class:`MalformedInput` unless it is exactly one RDN."""
        dn = DN.parse(text)
        if len(dn.rdns) != 1:
            raise MalformedInput("not a relative distinguished name", subject=repr(text))
        return dn.rdns[0]

    def normalised(self, normalise_value: NormaliseValue = normalise_ignoring_case) -> tuple[tuple[str, str], ...]:
        """Return the normal form: the sorted pairs, with types in lower case and values in normal form."""
        return tuple(sorted((kind.lower(), normalise_value(kind, value)) for kind, value in self.parts))

    @cached_property
    def _text(self) -> str:
        return "+".join([f"{kind}={_escape(value)}" for kind, value in self.parts])

    def __str__(self) -> str:
        return self._text


@dataclass(frozen=True)
class DN:
    """A distinguished name: RDNs, leaf first; the empty DN is that of the root DSE.

    ``==`` compares the spelling. Names of the same entry have the same :meth:`normalised` form.
    """

    rdns: tuple[RDN, ...] = ()

    def __init__(self, rdns: tuple[RDN, ...] = ()) -> None:
        # The generated __init__ of a frozen dataclass takes 50 % longer.
        _set(self, "rdns", rdns)

    @staticmethod
    def parse(text: str) -> DN:
        r"""Return the DN in *text* (RFC 4514 §3; spaces around ``,``, ``+`` and ``=`` are allowed, as in RFC 2253).

        Values are text. Octets that are not UTF-8 are kept as surrogates, and are printed as ``\xx`` again.
        Raises :class:`MalformedInput`.
        """
        return _parse_simple_dn(text) or _Parser(text).parse_dn()

    @cached_property
    def parent(self) -> DN:
        """The DN one level up; the empty DN is its own parent."""
        return DN(self.rdns[1:])

    @property
    def rdn(self) -> RDN:
        """The leaf RDN; the empty DN has none (:class:`IndexError`)."""
        return self.rdns[0]

    def child(self, attribute_type: str, value: str) -> DN:
        """Return the DN of the child ``attribute_type=value``; *value* is plain text, not escaped."""
        return DN((RDN.of(attribute_type, value), *self.rdns))

    def normalised(self, normalise_value: NormaliseValue = normalise_ignoring_case) -> NormalDN:
        """Return the normal form, which is equal for equal names; *normalise_value* applies each attribute's rule."""
        return tuple(rdn.normalised(normalise_value) for rdn in self.rdns)

    def cache_normal_form(self, owner: object, normalise: Callable[[DN], NormalDN]) -> NormalDN:
        """Return ``normalise(self)``, the normal form by the rules of *owner*; cached for the last *owner*."""
        known: tuple[object, NormalDN] | None = self.__dict__.get("_remembered")
        if known is None or known[0] is not owner:
            # A frozen dataclass forbids assignments, but not the entries of __dict__; equality ignores them.
            self.__dict__["_remembered"] = known = (owner, normalise(self))
        return known[1]

    def is_below(self, other: DN, normalise_value: NormaliseValue = normalise_ignoring_case) -> bool:
        """Return whether this DN is *other* or a descendant of it."""
        depth = len(self.rdns) - len(other.rdns)
        if depth < 0:
            return False
        return DN(self.rdns[depth:]).normalised(normalise_value) == other.normalised(normalise_value)

    def relative_to(self, base: DN) -> DN:
        """Return this DN without its ending *base*; unchanged if it is not below *base*."""
        depth = len(self.rdns) - len(base.rdns)
        return DN(self.rdns[:depth]) if depth > 0 and self.is_below(base) else self

    def rebased(self, old: DN, new: DN) -> DN:
        """Return this DN with its ending *old* replaced by *new*; only the number of RDNs of *old* is used."""
        return DN(self.rdns[: len(self.rdns) - len(old.rdns)] + new.rdns)

    def __str__(self) -> str:
        # The lock of a cached_property (Python 3.11) costs more than building the text.
        text: str | None = self.__dict__.get("_text")
        if text is None:
            self.__dict__["_text"] = text = ",".join([rdn._text for rdn in self.rdns])  # noqa: SLF001 — same module
        return text


def _parse_simple_dn(text: str) -> DN | None:
    """Return the DN in *text*; None if special characters or an error require the full parser.

    This is the fast way for most DNs. Entries share their ancestors, so the RDNs after the first comma are cached.
    """
    piece, comma, above = text.partition(",")
    rdn = _parse_simple_rdn(piece)
    if rdn is None or not comma:
        return None if rdn is None else DN((rdn,))
    rdns = _parse_simple_rdns(above)
    return None if rdns is None else DN((rdn, *rdns))


# The limit of the cache bounds the memory for a file with many different names.
@lru_cache(maxsize=8192)
def _parse_simple_rdns(text: str) -> tuple[RDN, ...] | None:
    rdns = []
    for piece in text.split(","):
        rdn = _parse_simple_rdn(piece)
        if rdn is None:
            return None
        rdns.append(rdn)
    return tuple(rdns)


@lru_cache(maxsize=8192)
def _parse_simple_rdn(text: str) -> RDN | None:
    """Return the single-valued RDN in *text* (without commas); None if it requires the full parser."""
    kind, equals, value = text.partition("=")
    kind = kind.strip(" ")
    if not equals or not _TYPE.fullmatch(kind) or _NOT_SIMPLE.search(value):
        return None
    return RDN.of(kind, value.strip(" "))


def _escape(value: str) -> str:
    """Return *value* escaped for a DN (RFC 4514 §2.4)."""
    if not _NEEDS_ESCAPING.search(value):
        return value
    last = len(value) - 1
    written = []
    for position, character in enumerate(value):
        if "\udc80" <= character <= "\udcff":
            written.append(f"\\{ord(character) - 0xDC00:02x}")
        elif character in _SPECIAL or (position == 0 and character == "#"):
            written.append("\\" + character)
        elif character == " " and position in (0, last):
            written.append("\\20" if position == 0 else "\\ ")
        elif character < " " or character == "\x7f":
            written.append(f"\\{ord(character):02x}")
        else:
            written.append(character)
    return "".join(written)


class _Parser:
    """The full parser of a DN, in one pass over its text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.starts: list[int] = []

    def parse_dn(self) -> DN:
        if not self.text.strip(" "):
            return DN()
        rdns = [self._parse_rdn()]
        while self.position < len(self.text):
            # RFC 2253 §4 requires parsers to accept the semicolon as separator too.
            if self.text[self.position] not in ",;":
                raise self._build_error(f"unexpected {self.text[self.position]!r}")
            self.position += 1
            rdns.append(self._parse_rdn())
        return DN(tuple(rdns))

    def _parse_rdn(self) -> RDN:
        self.starts.append(self.position)
        parts = [self._parse_part()]
        while self.position < len(self.text) and self.text[self.position] == "+":
            self.position += 1
            parts.append(self._parse_part())
        return RDN(tuple(parts))

    def _parse_part(self) -> tuple[str, str]:
        self._skip_blanks()
        match = _TYPE.match(self.text, self.position)
        if match is None:
            raise self._build_error("an attribute type is missing")
        self.position = match.end()
        self._skip_blanks()
        if self.text[self.position : self.position + 1] != "=":
            raise self._build_error("'=' is missing")
        self.position += 1
        self._skip_blanks()
        return match.group(), self._parse_value()

    def _parse_value(self) -> str:
        if self.text[self.position : self.position + 1] == "#":
            return self._parse_hex_value()
        if self.text[self.position : self.position + 1] == '"':
            return self._parse_quoted_value()
        return self._parse_string_value()

    def _parse_string_value(self) -> str:
        octets = bytearray()
        significant = 0  # the length up to the last escaped character: spaces up to there belong to the value
        while self.position < len(self.text) and self.text[self.position] not in ",;+":
            character = self.text[self.position]
            if character == "\\":
                octets += self._parse_escape()
                significant = len(octets)
                continue
            if character in '"<>':
                raise self._build_error(f"{character!r} must be escaped")
            octets += self._parse_character()
        trailing = bytes(octets[significant:]).rstrip(b" ")
        return (bytes(octets[:significant]) + trailing).decode("utf-8", "surrogateescape")

    def _parse_quoted_value(self) -> str:
        octets = bytearray()
        self.position += 1
        while self.text[self.position : self.position + 1] != '"':
            if self.position >= len(self.text):
                raise self._build_error("the closing quote is missing")
            if self.text[self.position] == "\\":
                octets += self._parse_escape()
                continue
            octets += self._parse_character()
        self.position += 1
        self._skip_blanks()
        return octets.decode("utf-8", "surrogateescape")

    def _parse_hex_value(self) -> str:
        match = _HEX_STRING.match(self.text, self.position)
        if match is None:
            raise self._build_error("'#' must be followed by pairs of hex digits")
        octets = bytes.fromhex(match.group(1))
        if len(octets) < 2 or octets[0] not in _STRING_TAGS or octets[1] != len(octets) - 2:
            raise self._build_error("the octets after '#' must be a short BER string")
        self.position = match.end()
        return octets[2:].decode("utf-8", "surrogateescape")

    def _parse_escape(self) -> bytes:
        after = self.text[self.position + 1 : self.position + 3]
        if _HEX_PAIR.fullmatch(after):
            self.position += 3
            return bytes.fromhex(after)
        if after and (after[0] in _SPECIAL or after[0] in " #="):
            self.position += 2
            return after[0].encode()
        raise self._build_error("'\\' must be followed by a special character or two hex digits")

    def _parse_character(self) -> bytes:
        if self.text[self.position] == "\0":
            raise self._build_error(r"a NUL must be written as \00")
        try:
            octets = self.text[self.position].encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise self._build_error("no UTF-8 encoding exists for the character") from error
        self.position += 1
        return octets

    def _skip_blanks(self) -> None:
        while self.text[self.position : self.position + 1] == " ":
            self.position += 1

    def _build_error(self, problem: str) -> MalformedInput:
        return MalformedInput(f"not a DN: {problem} at character {self.position + 1}", subject=repr(self.text))
