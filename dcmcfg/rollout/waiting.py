"""Waiting for what a server may still be writing for a connection that has ended."""

from __future__ import annotations

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.directory.failures import UNAVAILABLE_CRITICAL_EXTENSION
from dcmcfg.directory.server import Directory
from dcmcfg.directory.transaction import IN_NO_ENTRY
from dcmcfg.errors import DirectoryError, NotFound
from dcmcfg.plan import assertions
from dcmcfg.plan.assertions import Not, Present


def await_writes(directory: Directory) -> None:
    """Return once *directory* has made, or dropped, what it was writing when this was called.

    A server goes on with a commit whose connection is gone, while readers still see the tree from before: 10,000
    changes take it some seconds. It writes one request after the other (the one write transaction of back-mdb), so
    that the answer to a change which cannot be made comes after what was under way. That one asserts what holds of no
    entry, and would take away a value that none has; where the server has no assertion control, the latter alone has to
    do. Raises :class:`DirectoryError` when no answer comes.
    """
    nowhere = assertions.control([Not(Present("objectClass"))])
    nothing = Modification(Operation.DELETE, "description", (IN_NO_ENTRY,))
    for controls in (nowhere, ()):
        try:
            directory.apply(Modify(directory.server.base_dn, (nothing,), controls))
        except NotFound:  # an empty server
            return
        except DirectoryError as refused:
            if refused.result_code is None:  # not the server's own answer
                raise
            if refused.result_code != UNAVAILABLE_CRITICAL_EXTENSION:
                return
