"""Find entries that exist, although a search does not return them, because the bind DN may not see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dcmcfg.directory.failures import NoSuchEntry
from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN
from dcmcfg.errors import DirectoryError
from dcmcfg.schema_names import COMMON_NAME

_NO_ATTRIBUTES = ("1.1",)
#: The LDAP result insufficientAccessRights (RFC 4511 appendix A.1).
_INSUFFICIENT_ACCESS = 50
#: A name that no entry has.
_UNUSED_NAME = "dcmcfg-no-such-entry-9f2c61"


def iterate_hidden(directory: Directory, dns: Sequence[DN]) -> Iterator[DN]:
    """Yield those of *dns*, entries that no search has returned and whose parents are visible, that exist.

    A server names the nearest entry above one that does not exist. Of a hidden one, OpenLDAP names none. Servers that
    never name it show no difference, so nothing is yielded there. Raises :class:`~dcmcfg.errors.DirectoryError`.
    """
    names_parents: bool | None = None
    for dn in dns:
        try:
            directory.read(dn, "base", _NO_ATTRIBUTES)
        except NoSuchEntry as error:
            if error.matched_dn:
                continue
            if names_parents is None:
                names_parents = _names_parent(directory, dn.parent.child(COMMON_NAME, _UNUSED_NAME))
            if names_parents:
                yield dn
        except DirectoryError as error:
            if error.result_code != _INSUFFICIENT_ACCESS:
                raise
            yield dn
        else:
            # The entry is there now: a search may not return it, or another administrator has just added it.
            yield dn


def _names_parent(directory: Directory, unused: DN) -> bool:
    try:
        directory.read(unused, "base", _NO_ATTRIBUTES)
    except NoSuchEntry as error:
        return bool(error.matched_dn)
    return False
