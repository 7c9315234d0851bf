"""The stores that runs have left in a folder: what each is about, how far it came."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dcmcfg.bulk.run_options import Asked
from dcmcfg.bulk.store_file import companions, hold, is_store, lock_of, require_store
from dcmcfg.errors import Ambiguous, DcmcfgError, NotFound, Refused
from dcmcfg.rollout.lock import is_held
from dcmcfg.suggestions import listed
from dcmcfg.timestamps import parsed

#: Below the state folder; a store is named there by its question.
FOLDER, SUFFIX = "verify", ".sqlite"
_NOTHING_KNOWN = Asked({})
_LOOK = "look again: dcmcfg results list"


@dataclass(frozen=True)
class KeptStore:
    """A store on the disk; ``done`` and ``left`` are numbers of listed studies, ``octets`` with its journal.

    ``last`` is when it last heard something. Of one that cannot be read ``problem`` says why; nothing else is known.
    """

    path: Path
    last: datetime
    octets: int
    under_way: bool = False
    asked: Asked = _NOTHING_KNOWN
    source: str = ""
    done: int = 0
    left: int = 0
    problem: str = ""

    @property
    def name(self) -> str:
        """By which it is picked."""
        return self.path.name.removesuffix(SUFFIX)

    def remove(self) -> None:
        """Delete it, and its journal; nothing is done where it is gone.

        Raises :class:`DcmcfgError` when it cannot be, and :class:`Refused` when a run uses it, or has used it since.
        """
        with hold(self.path):
            self._require_unchanged()
            try:
                for each in (*companions(self.path), self.path):
                    each.unlink(missing_ok=True)
            except OSError as error:
                raise DcmcfgError(f"it cannot be deleted ({error.strerror})", on=str(self.path)) from error

    def _require_unchanged(self) -> None:
        with suppress(FileNotFoundError):
            if _looked_at(self.path).last != self.last:
                raise Refused("a run has used it since it was looked at", on=str(self.path), next_step=_LOOK)


def kept_stores(folder: Path) -> tuple[KeptStore, ...]:
    """Return the stores in *folder*, the last used first; what is no store is passed over, and nothing is changed."""
    paths = [each for each in folder.glob(f"*{SUFFIX}") if is_store(each)] if folder.is_dir() else []
    stores: list[KeptStore] = []
    for path in paths:
        with suppress(FileNotFoundError):  # deleted meanwhile
            stores.append(_looked_at(path))
    return tuple(sorted(stores, key=lambda each: each.last, reverse=True))


def older_than(stores: Iterable[KeptStore], age: timedelta, now: datetime) -> tuple[KeptStore, ...]:
    """Return those of *stores* that have heard nothing for *age*."""
    return tuple(each for each in stores if each.last < now - age)


def named_stores(stores: Sequence[KeptStore], names: Iterable[str]) -> tuple[KeptStore, ...]:
    """Return those that *names* mean, each once: a name, or how it begins where that is one's only.

    Raises :class:`NotFound` and :class:`Ambiguous`.
    """
    return tuple({each.path: each for each in (_named(stores, name) for name in names)}.values())


def _named(stores: Sequence[KeptStore], name: str) -> KeptStore:
    wanted = name.removesuffix(SUFFIX)
    found = [each for each in stores if wanted and each.name.startswith(wanted)]
    exactly = [each for each in found if each.name == wanted]
    match exactly or found:
        case [one]:
            return one
        case []:
            known = listed(wanted, (each.name for each in stores))
            raise NotFound("no results of that name are kept", on=name, next_step=f"there are: {known}")
        case several:
            names = ", ".join(each.name for each in several)
            raise Ambiguous("several results begin so", on=name, next_step=f"which of {names}?")


def _looked_at(path: Path) -> KeptStore:
    state = path.stat()
    octets = state.st_size + sum(each.stat().st_size for each in companions(path) if each.exists())
    last = datetime.fromtimestamp(state.st_mtime, UTC)
    try:
        require_store(path)
        with closing(_read_only(path)) as connection:
            return _of(path, connection, last, octets)
    except DcmcfgError as error:
        return KeptStore(path, last, octets, problem=error.what)
    except (sqlite3.Error, ValueError) as error:
        return KeptStore(path, last, octets, is_held(lock_of(path)), problem=f"it cannot be read ({error})")


def _read_only(path: Path) -> sqlite3.Connection:
    """Open it so that nothing is written, not even a journal's index where none is written ahead."""
    ahead, *_ = companions(path)
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro{'' if ahead.exists() else '&immutable=1'}", uri=True)


def _of(path: Path, connection: sqlite3.Connection, written: datetime, octets: int) -> KeptStore:
    facts = dict(connection.execute("SELECT name, value FROM fact").fetchall())
    done, left = connection.execute(
        "SELECT COUNT(answered_by), COUNT(*) - COUNT(answered_by) FROM study WHERE listed"
    ).fetchone()
    (heard,) = connection.execute("SELECT MAX(COALESCE(ended, started)) FROM attempt").fetchone()
    return KeptStore(
        path,
        parsed(heard or facts.get("listed at", "")) or written,
        octets,
        is_held(lock_of(path)),
        Asked(json.loads(facts.get("asked", "{}"))),
        facts.get("listed from", ""),
        done,
        left,
    )
