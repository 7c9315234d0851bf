"""What a failure means once a C-MOVE was sent."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dcmcfg.cli.session.failures import DEBUG_VARIABLE, OUT_OF_MEMORY_MESSAGE
from dcmcfg.errors import DcmcfgError, NegativeResult


@contextmanager
def convert_failures_after_send() -> Iterator[threading.Event]:
    """Make any failure after a C-MOVE was sent :class:`NegativeResult`: 3 would say that none was.

    Yields what is to be set when the first one is on its way, by whatever thread.
    """
    sent = threading.Event()
    try:
        yield sent
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        if not sent.is_set():
            raise
        raise NegativeResult(
            "interrupted: the C-MOVE was sent, and how it ended was not waited for",
            next_step="look at the destination for what arrived; the archive was asked to stop",
        ) from None
    except Exception as error:
        if not sent.is_set() or os.environ.get(DEBUG_VARIABLE):
            raise
        match error:
            case DcmcfgError():
                raise NegativeResult(
                    error.message, subject=error.subject, next_step=error.next_step, details=error.details
                ) from error
            case MemoryError():
                problem = OUT_OF_MEMORY_MESSAGE
            case OSError():
                problem = error.strerror or str(error)
            case _:
                problem = f"internal error, {type(error).__name__}: {error}"
        raise NegativeResult(
            f"the C-MOVE was sent, but how it went cannot be told ({problem})",
            next_step=f"look at the destination for what arrived; {DEBUG_VARIABLE}=1 shows where it failed",
        ) from error
