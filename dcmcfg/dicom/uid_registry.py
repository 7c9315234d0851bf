"""Look up SOP classes and transfer syntaxes by name, keyword or UID, and names of registered UIDs (PS3.6 Annex A).

``uids.json`` contains the table; docs/generate.py writes it.
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
    """A row of PS3.6 Table A-1. ``kind`` is its column *UID Type*; some retired UIDs have no name and keyword."""

    name: str
    kind: str
    is_retired: bool
    keyword: str


def _load_table() -> Mapping[str, RegisteredUid]:
    rows = json.loads(resources.files(__package__).joinpath("uids.json").read_bytes())["uids"]
    return {uid: RegisteredUid(*row) for uid, row in rows.items()}


#: Each registered UID.
UIDS = _load_table()
#: Stands for all UIDs in a capability of the archive.
ANY_UID = "*"
_UID_LIKE = re.compile(r"[0-9.]+", re.ASCII)
_STORAGE = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.1\.1\.[0-9.]+", re.ASCII)
_STORAGE_NAME = re.compile(r".* Storage(?: SOP Class| - .*)?")


class UidKind(Enum):
    """The kind of a registered UID, as named by PS3.6."""

    SOP_CLASS = "SOP Class"
    TRANSFER_SYNTAX = "Transfer Syntax"


def resolve_uid(
    text: str, kind: UidKind, extra_names: Mapping[str, str] | None = None, *, any_kind: bool = False
) -> str:
    """Return the UID for *text*: a UID, the name or keyword of a UID of *kind*, or ``*``.

    Case, blanks and punctuation of names are ignored, so keywords match too. *extra_names* are names (name → UID)
    beyond the standard's. An unknown UID is accepted. With *any_kind*, a UID of another kind is accepted too, because a
    value to remove may be wrong. Raises :class:`MalformedInput` with suggestions, or with the actual kind of the UID.
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
            # Keywords have no blanks, so a text with blanks is compared with names.
            text,
            [*_iterate_names(kind, keywords=" " not in text.strip()), *(extra_names or {})],
        )
        hint = f"did you mean {', '.join(suggestions)}?" if suggestions else "use a UID, a name or a keyword of PS3.6"
        raise MalformedInput(f"no {_format_kind(kind.value)} has this name", subject=repr(text), next_step=hint)
    return uid_by_name


def _require_kind(uid: str, kind: UidKind) -> None:
    """Raise :class:`MalformedInput` if *uid* has another kind than *kind* in the standard.

    A Meta SOP Class is negotiated like a SOP class (PS3.4 H.3), so it is accepted as one.
    """
    entry = UIDS.get(uid)
    if entry is None or entry.kind.removeprefix("Meta ") == kind.value:
        return
    raise MalformedInput(
        f"not a {_format_kind(kind.value)}: {format_uid_name(uid)} ({_format_kind(entry.kind)})",
        subject=uid,
        next_step=f"use the name, the keyword or the UID of a {_format_kind(kind.value)}",
    )


def _format_kind(kind: str) -> str:
    """Return the kind of PS3.6 in the case for a sentence."""
    return " ".join(word if word.isupper() else word.lower() for word in kind.split())


def format_uid_name(uid: str) -> str:
    """Return the standard's name of *uid*, or *uid* itself if the standard has none.

    Retired UIDs are marked, because the successor may have the same name.
    """
    entry = UIDS.get(uid)
    if entry is None or not entry.name:
        return uid
    return f"{entry.name} (Retired)" if entry.is_retired else entry.name


def get_keyword(uid: str) -> str:
    """Return the standard's keyword of *uid* (``CTImageStorage``), or *uid* itself if there is none."""
    entry = UIDS.get(uid)
    return (entry.keyword if entry else "") or uid


def complete_keywords(kind: UidKind, prefix: str) -> tuple[tuple[str, str], ...]:
    """Return the current keywords of *kind* that begin with *prefix*, ignoring case, each with its name, sorted."""
    matches = (
        (each.keyword, each.name)
        for each in UIDS.values()
        if each.kind == kind.value and not each.is_retired and each.keyword.lower().startswith(prefix.lower())
    )
    return tuple(sorted(matches))


def list_storage_sop_classes() -> tuple[str, ...]:
    """Return the UIDs of the standard's storage SOP classes that are not retired, sorted by name."""
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
    """Return whether *uid* is a storage SOP class, retired or not, or unknown to the standard."""
    entry = UIDS.get(uid)
    if entry is None:
        return True
    return entry.kind == UidKind.SOP_CLASS.value and (not entry.name or _STORAGE_NAME.fullmatch(entry.name) is not None)


def _normalize_name(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


@cache
def _map_uids_by_name(kind: UidKind) -> Mapping[str, str]:
    uids: dict[str, str] = {}
    # Current entries come first, because a retired SOP class may have the name of its successor.
    for uid, each in sorted(UIDS.items(), key=lambda item: item[1].is_retired):
        if each.kind == kind.value:
            for alias in (each.keyword, each.name, format_uid_name(uid)):
                uids.setdefault(_normalize_name(alias), uid)
    # Some retired UIDs have no name and no keyword.
    uids.pop("", None)
    return uids


def _iterate_names(kind: UidKind, *, keywords: bool) -> Iterator[str]:
    return (
        (each.keyword if keywords else each.name) or each.name
        for each in UIDS.values()
        if each.kind == kind.value and each.name
    )


def look_up_uid_name(uid: str) -> str:
    """Return the name of *uid* in the registry, or the UID itself if it is not registered."""
    entry = UIDS.get(uid)
    return (entry.name if entry else "") or uid
