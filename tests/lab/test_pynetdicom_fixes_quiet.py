from __future__ import annotations

import threading

import pytest

from dcmcfg.lab import pynetdicom_fixes


def test_threads_of_others_are_still_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", reported.append)
    pynetdicom_fixes.silence_pynetdicom()
    pynetdicom_fixes.silence_pynetdicom()  # a second call must not make the hook call itself
    thread = threading.Thread(target=lambda: 1 // 0)
    thread.start()
    thread.join()
    assert [failure.exc_type for failure in reported] == [ZeroDivisionError]
