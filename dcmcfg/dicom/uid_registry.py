"""SOP classes and transfer syntaxes by name, keyword or UID (PS3.6 Annex A, as pydicom has it).

The names of registered UIDs (PS3.6 Annex A).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache

from dcmcfg.dicom.pydicom_lazy import load_uid_dictionary
from dcmcfg.dicom.uid import parse_uid
from dcmcfg.errors import MalformedInput
from dcmcfg.suggestions import suggest_names

#: Name, kind, more, ``Retired`` where it is, and keyword of each.
UIDS = load_uid_dictionary()
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
    if entry is None or entry[1].removeprefix("Meta ") == kind.value:
        return
    raise MalformedInput(
        f"no {_format_kind(kind.value)} but {format_uid_name(uid)} ({_format_kind(entry[1])})",
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
    if entry is None or not entry[0]:
        return uid
    return f"{entry[0]} (Retired)" if entry[3] else entry[0]


def get_keyword(uid: str) -> str:
    """Return the standard's keyword of *uid* (``CTImageStorage``), or *uid* itself where there is none."""
    entry = UIDS.get(uid)
    return (entry[4] if entry else "") or uid


def complete_keywords(kind: UidKind, prefix: str) -> tuple[tuple[str, str], ...]:
    """Return the keywords of *kind* in use that *prefix* may become, case ignored, each with its name, in order."""
    matches = (
        (keyword, name)
        for name, entry_kind, _, retired, keyword in UIDS.values()
        if entry_kind == kind.value and not retired and keyword.lower().startswith(prefix.lower())
    )
    return tuple(sorted(matches))


def list_storage_sop_classes() -> tuple[str, ...]:
    """Return the UIDs of the standard's storage SOP classes that are not retired, in the order of their names."""
    uids = [
        uid
        for uid, (name, kind, _, retired, _) in UIDS.items()
        if kind == UidKind.SOP_CLASS.value and not retired and _STORAGE.fullmatch(uid) and _STORAGE_NAME.fullmatch(name)
    ]
    return tuple(sorted(uids, key=format_uid_name))


def may_be_storage_class(uid: str) -> bool:
    """Tell whether *uid* is a storage SOP class, retired or not, or one that the standard does not know."""
    entry = UIDS.get(uid)
    if entry is None:
        return True
    return entry[1] == UidKind.SOP_CLASS.value and (not entry[0] or _STORAGE_NAME.fullmatch(entry[0]) is not None)


def _normalize_name(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


@cache
def _map_uids_by_name(kind: UidKind) -> Mapping[str, str]:
    uids: dict[str, str] = {}
    # What is in use comes first: a retired SOP class may have the name of its successor.
    for uid, (name, entry_kind, _, _, keyword) in sorted(UIDS.items(), key=lambda each: bool(each[1][3])):
        if entry_kind == kind.value:
            for alias in (keyword, name, format_uid_name(uid)):
                uids.setdefault(_normalize_name(alias), uid)
    uids.pop("", None)
    return uids


def _iterate_names(kind: UidKind, *, keywords: bool) -> Iterator[str]:
    return (
        (keyword if keywords else name) or name
        for name, entry_kind, _, _, keyword in UIDS.values()
        if entry_kind == kind.value and name
    )


def look_up_uid_name(uid: str) -> str:
    """Return the name of *uid* in the registry, or the UID itself where it is not there."""
    entry = UIDS.get(uid)
    return (entry[0] if entry else "") or uid
