"""Failures after a C-MOVE was sent."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dcmcfg.cli.session.failures import DEBUG_VARIABLE, OUT_OF_MEMORY_MESSAGE
from dcmcfg.errors import DcmcfgError, NegativeResult


@contextmanager
def convert_failures_after_send() -> Iterator[threading.Event]:
    """Convert failures after a C-MOVE was sent to :class:`NegativeResult`: exit code 3 means that none was sent.

    Yields an event, which a thread sets as soon as it sends the first C-MOVE.
    """
    sent = threading.Event()
    try:
        yield sent
    except BrokenPipeError:  # the program itself reports that the reader of the output is gone
        raise
    except KeyboardInterrupt:
        if not sent.is_set():
            raise
        raise NegativeResult(
            "interrupted: the C-MOVE was sent, but dcmcfg did not wait for the result",
            next_step=(
                "check the destination for received instances; dcmcfg sent the archive a request to "
                "stop the C-MOVE (C-CANCEL)"
            ),
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
            f"the C-MOVE was sent, but its result is unknown ({problem})",
            next_step=f"check the destination for received instances; to print the traceback, set {DEBUG_VARIABLE}=1",
        ) from error
