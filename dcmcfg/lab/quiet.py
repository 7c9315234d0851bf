"""How pynetdicom behaves in this process: silent, unless its logger was given a level."""

from __future__ import annotations

import logging
import threading

from pynetdicom import _config  # the documented place of pynetdicom's options, despite its name
from pynetdicom.association import Association
from pynetdicom.dul import DULServiceProvider

from dcmcfg.dicom import pydicom_lazy

_LOGGER = logging.getLogger("pynetdicom")
_report = threading.excepthook


def keep_quiet() -> None:
    """Keep the DICOM libraries from writing to stderr, and from decoding answers only to log them.

    Whoever wants pynetdicom's log sets the level of the logger ``pynetdicom`` beforehand. May be called any number of
    times.
    """
    global _report
    pydicom_lazy.keep_quiet()
    if _LOGGER.level == logging.NOTSET:
        _LOGGER.setLevel(logging.CRITICAL)
        _config.LOG_HANDLER_LEVEL = "none"
    # Printing an answer to the log decodes each value: one broken value would lose the whole answer.
    _config.LOG_RESPONSE_IDENTIFIERS = False
    _config.LOG_REQUEST_IDENTIFIERS = False
    if threading.excepthook is not _log_threads_of_pynetdicom:
        _report = threading.excepthook
        threading.excepthook = _log_threads_of_pynetdicom


def _log_threads_of_pynetdicom(failure: threading.ExceptHookArgs) -> None:
    """Leave what ends a thread of pynetdicom to its log: some PDUs from a broken peer do (``fsm.py``, AE_4)."""
    if isinstance(failure.thread, Association | DULServiceProvider):
        _LOGGER.error("a thread ended: %s", failure.exc_value)
    else:
        _report(failure)
