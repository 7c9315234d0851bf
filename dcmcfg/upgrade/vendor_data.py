"""Merge the members of dicomVendorData, a ZIP file: base, release and site may each have changed a member."""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Literal

Side = Literal["site", "release"]
_MAX_UNPACKED_OCTETS = 20 * 1024 * 1024
#: ZIP files begin in 1980; a fixed time makes the result the same in every run.
_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class MemberConflict:
    """A member that site and release have changed differently; None where a side does not have it."""

    name: str
    base: bytes | None
    site: bytes | None
    release: bytes | None


@dataclass(frozen=True)
class VendorMerge:
    """The merged vendor data, None if the site's stays; and what was done with its members."""

    _: KW_ONLY
    merged: bytes | None = None
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    conflicts: tuple[MemberConflict, ...] = ()
    problem: str = ""
    #: Whether the user must decide because the vendor data of the site cannot be read.
    is_unreadable: bool = False

    @property
    def needs_decision(self) -> bool:
        """Whether the user has something to decide."""
        return bool(self.conflicts) or self.is_unreadable


def merge_vendor_data(
    site: bytes | None, release: bytes | None, bases: Sequence[bytes], *, prefer: Side | None = None
) -> VendorMerge:
    """Return the merge of the members of *site* and *release*.

    *bases* are the vendor data of known releases, the one of the installed release first: a member of the site that
    equals one of them is unchanged. Without vendor data of the release, nothing is done. *prefer* answers conflicts.
    """
    if release is None:
        return VendorMerge(
            problem="the folder of the release has no vendor-data.zip (in the distribution, the file is in the folder "
            "ldap)"
        )
    if site is None:
        return VendorMerge(problem="the site has no vendor data")
    theirs, own = _read_members(release), _read_members(site)
    known = [members for each in bases if (members := _read_members(each)) is not None]
    if theirs is None or own is None:
        side = "the site" if own is None else "the release"
        return VendorMerge(
            problem=f"the vendor data of {side} is not a ZIP file, or is larger than 20 MiB when unpacked",
            is_unreadable=True,
        )
    return _merge_members(own, theirs, known, prefer)


def _merge_members(
    own: dict[str, bytes], theirs: dict[str, bytes], known: Sequence[dict[str, bytes]], prefer: Side | None
) -> VendorMerge:
    merged: dict[str, bytes] = {}
    new: list[str] = []
    changed: list[str] = []
    removed: list[str] = []
    kept: list[str] = []
    conflicts: list[MemberConflict] = []
    for name in sorted({*own, *theirs}):
        mine, release = own.get(name), theirs.get(name)
        base = _find_base(name, mine, known)
        if mine == release:
            result = mine
        elif mine == base:
            result = release
            (new if mine is None else removed if release is None else changed).append(name)
        elif release == base or prefer == "site":
            result = mine
            kept.append(name)
        elif prefer == "release":
            result = release
            changed.append(name)
        else:
            result = mine
            conflicts.append(MemberConflict(name, base, mine, release))
        if result is not None:
            merged[name] = result
    is_changed = merged != own
    return VendorMerge(
        merged=_write_members(merged) if is_changed else None,
        new=tuple(new),
        changed=tuple(changed),
        removed=tuple(removed),
        kept=tuple(kept),
        conflicts=tuple(conflicts),
    )


def _find_base(name: str, mine: bytes | None, known: Sequence[dict[str, bytes]]) -> bytes | None:
    """Return the member of the known release that equals the site's, else that of the installed release."""
    if any(members.get(name) == mine for members in known):
        return mine
    return known[0].get(name) if known else None


def _read_members(octets: bytes) -> dict[str, bytes] | None:
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            infos = [each for each in archive.infolist() if not each.is_dir()]
            if sum(each.file_size for each in infos) > _MAX_UNPACKED_OCTETS:
                return None
            return {each.filename: archive.read(each) for each in infos}
    # zipfile raises all of these for damaged, encrypted and strangely packed files.
    except (zipfile.BadZipFile, OSError, RuntimeError, ValueError, EOFError, IndexError, OverflowError):
        return None
    except (zlib.error, lzma.LZMAError, struct.error):
        return None


def _write_members(members: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in sorted(members.items()):
            archive.writestr(zipfile.ZipInfo(name, _TIME), octets, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def list_conflict_files(merge: VendorMerge) -> Iterator[tuple[str, bytes]]:
    """Yield a file name and the octets for each version of a member in conflict: NAME.base, NAME.site, NAME.release.

    Characters that could lead out of a folder are replaced in the names.
    """
    used: set[str] = set()
    for number, each in enumerate(merge.conflicts, start=1):
        name = re.sub(r"[^A-Za-z0-9._-]", "_", each.name).lstrip(".") or "member"
        name = f"{number}-{name}" if name.lower() in used else name
        used.add(name.lower())
        for version, octets in (("base", each.base), ("site", each.site), ("release", each.release)):
            if octets is not None:
                yield f"{name}.{version}", octets
