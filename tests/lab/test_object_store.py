from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dcmcfg.lab.object_store import ObjectStore

UID = "1.2.3"


def test_an_instance_that_several_send_at_once_is_kept_whole(tmp_path: Path) -> None:
    """Two external archives may send one instance to the same destination."""
    store = ObjectStore(tmp_path)
    files = [bytes([number]) * 200_000 for number in range(8)]
    for _ in range(20):
        with ThreadPoolExecutor(len(files)) as threads:
            saved = list(threads.map(lambda file: store.save_file(UID, file), files))
        assert saved == [store.get_path(UID)] * len(files)
        assert store.get_path(UID).read_bytes() in files
    assert list(tmp_path.iterdir()) == [store.get_path(UID)]
