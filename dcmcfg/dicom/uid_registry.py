"""SOP classes and transfer syntaxes by name, keyword or UID, and the names of all registered UIDs (PS3.6 Annex A).

``uids.json`` holds the table; docs/generate.py writes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from importlib import resources
from typing import NamedTuple

from dcmcfg.dicom.uid import parse_uid
from dcmcfg.errors import MalformedInput
from dcmcfg.suggestions import suggest_names


class RegisteredUid(NamedTuple):
    """A row of PS3.6 Table A-1. ``kind`` is its column *UID Type*; name and keyword of a few retired UIDs are empty."""

    name: str
    kind: str
    is_retired: bool
    keyword: str


def _load_table() -> Mapping[str, RegisteredUid]:
    rows = json.loads(resources.files(__package__).joinpath("uids.json").read_bytes())["uids"]
    return {uid: RegisteredUid(*row) for uid, row in rows.items()}


#: Each registered UID.
UIDS = _load_table()
#: Stands for all of them in a capability of the archive.
ANY_UID = "*"
_UID_LIKE = re.compile(r"[0-9.]+", re.ASCII)
_STORAGE = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.1\.1\.[0-9.]+", re.ASCII)
_STORAGE_NAME = re.compile(r".* Storage(?: SOP Class| - .*)?")


class UidKind(Enum):
    """What a UID identifies, as PS3.6 calls it."""

    SOP_CLASS = "SOP Class"
    TRANSFER_SYNTAX = "Transfer Syntax"


def resolve_uid(
    text: str, kind: UidKind, extra_names: Mapping[str, str] | None = None, *, any_kind: bool = False
) -> str:
    """Return the UID that *text* is, or the UID of the *kind* that it names, or ``*``.

    A name counts without its case, blanks and punctuation, so a keyword does too. *extra_names* are names (name → UID)
    beyond the standard's. A UID passes when it is not known, and with *any_kind*, as what is to be taken away may be
    wrong, when it is known as something else. Raises :class:`MalformedInput` with suggestions, or with what the UID is.
    """
    if text.strip() == ANY_UID:
        return ANY_UID
    if _UID_LIKE.fullmatch(text.strip()):
        uid = parse_uid(text)
        if not any_kind:
            _require_kind(uid, kind)
        return uid
    extra_uids = {_normalize_name(name): uid for name, uid in (extra_names or {}).items()}
    uid_by_name = _map_uids_by_name(kind).get(_normalize_name(text)) or extra_uids.get(_normalize_name(text))
    if uid_by_name is None:
        suggestions = suggest_names(
            text, [*_iterate_names(kind, keywords=" " not in text.strip()), *(extra_names or {})]
        )
        hint = (
            f"near misses: {', '.join(suggestions)}"
            if suggestions
            else "a UID is taken too, as are names and keywords of PS3.6"
        )
        raise MalformedInput(f"no {_format_kind(kind.value)} has this name", subject=repr(text), next_step=hint)
    return uid_by_name


def _require_kind(uid: str, kind: UidKind) -> None:
    """Raise :class:`MalformedInput` when the standard has *uid* for something else than *kind*.

    A Meta SOP Class is negotiated as a SOP class is (PS3.4 H.3).
    """
    entry = UIDS.get(uid)
    if entry is None or entry.kind.removeprefix("Meta ") == kind.value:
        return
    raise MalformedInput(
        f"no {_format_kind(kind.value)} but {format_uid_name(uid)} ({_format_kind(entry.kind)})",
        subject=uid,
        next_step=f"give the name, the keyword or the UID of a {_format_kind(kind.value)}",
    )


def _format_kind(kind: str) -> str:
    """Return what PS3.6 calls a kind as it stands in a sentence."""
    return " ".join(word if word.isupper() else word.lower() for word in kind.split())


def format_uid_name(uid: str) -> str:
    """Return the standard's name of *uid*, or *uid* itself where the standard has none.

    What is retired is called so, since its successor may have the same name.
    """
    entry = UIDS.get(uid)
    if entry is None or not entry.name:
        return uid
    return f"{entry.name} (Retired)" if entry.is_retired else entry.name


def get_keyword(uid: str) -> str:
    """Return the standard's keyword of *uid* (``CTImageStorage``), or *uid* itself where there is none."""
    entry = UIDS.get(uid)
    return (entry.keyword if entry else "") or uid


def complete_keywords(kind: UidKind, prefix: str) -> tuple[tuple[str, str], ...]:
    """Return the keywords of *kind* in use that *prefix* may become, case ignored, each with its name, in order."""
    matches = (
        (each.keyword, each.name)
        for each in UIDS.values()
        if each.kind == kind.value and not each.is_retired and each.keyword.lower().startswith(prefix.lower())
    )
    return tuple(sorted(matches))


def list_storage_sop_classes() -> tuple[str, ...]:
    """Return the UIDs of the standard's storage SOP classes that are not retired, in the order of their names."""
    uids = [
        uid
        for uid, each in UIDS.items()
        if each.kind == UidKind.SOP_CLASS.value
        and not each.is_retired
        and _STORAGE.fullmatch(uid)
        and _STORAGE_NAME.fullmatch(each.name)
    ]
    return tuple(sorted(uids, key=format_uid_name))


def may_be_storage_class(uid: str) -> bool:
    """Tell whether *uid* is a storage SOP class, retired or not, or one that the standard does not know."""
    entry = UIDS.get(uid)
    if entry is None:
        return True
    return entry.kind == UidKind.SOP_CLASS.value and (not entry.name or _STORAGE_NAME.fullmatch(entry.name) is not None)


def _normalize_name(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


@cache
def _map_uids_by_name(kind: UidKind) -> Mapping[str, str]:
    uids: dict[str, str] = {}
    # What is in use comes first: a retired SOP class may have the name of its successor.
    for uid, each in sorted(UIDS.items(), key=lambda item: item[1].is_retired):
        if each.kind == kind.value:
            for alias in (each.keyword, each.name, format_uid_name(uid)):
                uids.setdefault(_normalize_name(alias), uid)
    uids.pop("", None)
    return uids


def _iterate_names(kind: UidKind, *, keywords: bool) -> Iterator[str]:
    return (
        (each.keyword if keywords else each.name) or each.name
        for each in UIDS.values()
        if each.kind == kind.value and each.name
    )


def look_up_uid_name(uid: str) -> str:
    """Return the name of *uid* in the registry, or the UID itself where it is not there."""
    entry = UIDS.get(uid)
    return (entry.name if entry else "") or uid
