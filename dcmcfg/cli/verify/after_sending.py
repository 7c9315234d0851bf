"""What a failure means once a C-MOVE was sent."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dcmcfg.cli.session.failures import DEBUG, OUT_OF_MEMORY
from dcmcfg.errors import AnswerIsNo, DcmcfgError


@contextmanager
def a_no_once_sent() -> Iterator[threading.Event]:
    """Make any failure after a C-MOVE was sent :class:`AnswerIsNo`: 3 would say that none was.

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
        raise AnswerIsNo(
            "interrupted: the C-MOVE was sent, and how it ended was not waited for",
            next_step="look at the destination for what arrived; the archive was asked to stop",
        ) from None
    except Exception as error:
        if not sent.is_set() or os.environ.get(DEBUG):
            raise
        match error:
            case DcmcfgError():
                raise AnswerIsNo(error.what, on=error.on, next_step=error.next_step, details=error.details) from error
            case MemoryError():
                problem = OUT_OF_MEMORY
            case OSError():
                problem = error.strerror or str(error)
            case _:
                problem = f"internal error, {type(error).__name__}: {error}"
        raise AnswerIsNo(
            f"the C-MOVE was sent, but how it went cannot be told ({problem})",
            next_step=f"look at the destination for what arrived; {DEBUG}=1 shows where it failed",
        ) from error
