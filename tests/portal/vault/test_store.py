"""The vault's folder: whole packs or none, and only ciphertext."""

from __future__ import annotations

import errno
import gc
import hashlib
import os
import resource
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from portal.errors import StorageFull, VaultDamaged
from portal.vault import disk
from portal.vault.store import Extent, Store
from portal.vault.stream import CHUNK_BYTES, open_bytes, sealed_length
from tests.portal.vault.places import a_place

WORD = b"Maria Gonzalez 1986-04-12 "


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "vault")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@contextmanager
def file_size_limit(limit_bytes: int) -> Iterator[None]:
    """Files of this process may not grow beyond `limit_bytes`: the kernel's own refusal, without filling a disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_objects_of_a_pack_open_from_their_extents(store: Store) -> None:
    contents = [b"", WORD, os.urandom(CHUNK_BYTES), os.urandom(CHUNK_BYTES + 7)]
    places = [a_place(index=index) for index in range(len(contents))]
    with store.new_pack() as writer:
        extents = [writer.append(data, **place) for data, place in zip(contents, places, strict=True)]
        name = writer.commit()
    pack = store.open_pack(name)
    for data, place, extent in zip(contents, places, extents, strict=True):
        pack.check(extent)
        assert open_bytes(pack.view(extent), **place, length=len(data)) == data
    ends = [extent.offset + extent.length for extent in extents]
    assert [extent.offset for extent in extents] == [0, *ends[:-1]]
    assert len(pack.whole()) == ends[-1]


def test_streamed_object_is_the_same_as_one_given_whole(store: Store) -> None:
    place, data = a_place(), os.urandom(CHUNK_BYTES * 2 + 5)
    with store.new_pack() as writer:
        extent = writer.append_stream(
            (data[i : i + 1000] for i in range(0, len(data), 1000)), len(data), **place
        )
        name = writer.commit()
    assert extent == Extent(
        0, sealed_length(len(data)), hashlib.sha256(store.open_pack(name).whole()).hexdigest()
    )
    assert open_bytes(store.open_pack(name).whole(), **place, length=len(data)) == data


def test_object_put_alone_opens_again(store: Store) -> None:
    place = a_place(kind="spool")
    name = store.put(WORD, **place)
    assert open_bytes(store.open_pack(name).whole(), **place, length=len(WORD)) == WORD
    assert store.exists(name)
    assert list(store.names()) == [name]


def test_only_ciphertext_and_random_names_reach_the_disk(store: Store, tmp_path: Path) -> None:
    place = a_place()
    store.put(WORD * 1000, **place)
    unfinished = store.new_pack()
    unfinished.append(WORD * 1000, **place)
    stored = files(tmp_path)
    assert len(stored) == 2
    for path in stored:
        assert WORD not in path.read_bytes()
        assert place["context"].practice.bytes not in path.read_bytes()
        assert len(path.name) == 32
    unfinished.abort()


def test_files_and_folders_are_for_their_owner_alone_and_packs_are_read_only(
    store: Store, tmp_path: Path
) -> None:
    name = store.put(WORD, **a_place())
    for path in (tmp_path / "vault").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    assert stat.S_IMODE((tmp_path / "vault" / name[:2] / name).stat().st_mode) == 0o400


def test_nothing_is_visible_before_commit_or_after_abort(store: Store, tmp_path: Path) -> None:
    with store.new_pack() as writer:
        writer.append(WORD, **a_place())
        assert list(store.names()) == []
    assert files(tmp_path) == []
    with pytest.raises(ValueError, match="already finished"):
        writer.append(WORD, **a_place())


def test_a_source_that_fails_discards_the_pack(store: Store, tmp_path: Path) -> None:
    def broken_source() -> Iterator[bytes]:
        yield b"x" * 1000
        raise ConnectionResetError

    with store.new_pack() as writer, pytest.raises(ConnectionResetError):
        writer.append_stream(broken_source(), 2000, **a_place())
    assert files(tmp_path) == []


def test_an_empty_pack_is_not_committed(store: Store, tmp_path: Path) -> None:
    with store.new_pack() as writer, pytest.raises(ValueError, match="empty pack"):
        writer.commit()
    assert files(tmp_path) == []


def test_full_disk_leaves_nothing_and_says_so(store: Store, tmp_path: Path) -> None:
    with file_size_limit(300_000), store.new_pack() as writer:
        writer.append(bytes(200_000), **a_place())
        with pytest.raises(StorageFull):
            writer.append(bytes(200_000), **a_place())
    assert files(tmp_path) == []
    assert store.exists(store.put(WORD, **a_place()))


def test_full_disk_at_commit_leaves_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room_for_the_name(folder: Path) -> None:
        if any(path.is_file() for path in folder.iterdir()):
            raise OSError(errno.ENOSPC, "No space left on device")

    writer = store.new_pack()
    writer.append(WORD, **a_place())
    monkeypatch.setattr(disk, "fsync_folder", no_room_for_the_name)
    with pytest.raises(StorageFull):
        writer.commit()
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["", "..", "../" * 8 + "etc", "A" * 32, "a" * 31, "a" * 33, "a" * 32 + "\n", "٣" * 32]
)
def test_no_path_is_smuggled_in_a_name(store: Store, name: str) -> None:
    for deed in (store.open_pack, store.exists, store.delete):
        with pytest.raises(VaultDamaged) as refusal:
            deed(name)
        assert refusal.value.reason == "pack-name"


def test_deleted_pack_is_gone_and_deleting_again_is_no_error(store: Store, tmp_path: Path) -> None:
    name = store.put(WORD, **a_place())
    reading = store.open_pack(name).whole()
    store.delete(name)
    store.delete(name)
    assert not store.exists(name)
    assert len(reading) == sealed_length(len(WORD))
    with pytest.raises(VaultDamaged) as refusal:
        store.open_pack(name)
    assert refusal.value.reason == "pack-missing"


def test_sweep_takes_old_files_of_dead_writers_and_no_others(store: Store, tmp_path: Path) -> None:
    unfinished = tmp_path / "vault" / "tmp"
    old, young = unfinished / ("a" * 32), unfinished / ("b" * 32)
    for path in (old, young):
        path.write_bytes(b"left over")
    alive = store.new_pack()
    alive.append(WORD, **a_place())
    an_hour_ago = time.time() - 3600
    for path in unfinished.iterdir():
        if path != young:
            os.utime(path, (an_hour_ago, an_hour_ago))
    assert store.sweep_abandoned(older_than_s=60) == 1
    assert young.exists()
    assert store.exists(alive.commit())


def test_killed_writer_leaves_nothing_visible_and_is_swept(store: Store, tmp_path: Path) -> None:
    root = tmp_path / "vault"
    script = textwrap.dedent("""
        import sys, pathlib
        from portal.vault.store import Store
        from tests.portal.vault.places import a_place
        writer = Store(pathlib.Path(sys.argv[1])).new_pack()
        while True:
            writer.append(bytes(300_000), **a_place())
            print("appended", flush=True)
    """)
    with subprocess.Popen([sys.executable, "-c", script, str(root)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert store.sweep_abandoned(older_than_s=-60) == 0, "its writer is alive"
        process.send_signal(signal.SIGKILL)
    assert list(store.names()) == []
    assert len(files(root)) == 1
    assert store.sweep_abandoned(older_than_s=-60) == 1
    assert files(root) == []


def test_few_packs_stay_open_and_a_reader_keeps_what_it_holds(tmp_path: Path) -> None:
    store = Store(tmp_path / "vault", open_packs=3)
    place = a_place()
    names = [store.put(WORD, **place) for _ in range(20)]
    held = store.open_pack(names[0]).whole()
    for name in names:
        store.open_pack(name)
    gc.collect()
    assert len(maps_below(tmp_path)) == 4
    assert open_bytes(held, **place, length=len(WORD)) == WORD
    del held
    assert len(maps_below(tmp_path)) == 3


def maps_below(folder: Path) -> set[str]:
    """The files this process has mapped."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {line.split()[-1] for line in lines if str(folder) in line}


def test_threads_read_while_packs_come_and_go(tmp_path: Path) -> None:
    store = Store(tmp_path / "vault", open_packs=2)
    place = a_place()
    contents = [bytes([number]) * 20_000 for number in range(8)]
    names = [store.put(data, **place) for data in contents]
    start = threading.Barrier(6)

    def read_all(shift: int) -> bool:
        start.wait()
        order = [(number * (shift + 1) + shift) % 8 for number in range(200)]
        return all(
            open_bytes(store.open_pack(names[n]).whole(), **place, length=20_000) == contents[n]
            for n in order
        )

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(read_all, range(6)))
    assert len(maps_below(tmp_path)) <= 2
