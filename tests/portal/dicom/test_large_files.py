"""Files read where they lie: by stretches they say and show what they do whole, and nothing is held of them.

Multi-frame pictures however they are packed, and all that can be wrong with where their frames lie.
"""

from __future__ import annotations

import io
import itertools
import os
import signal
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate, encapsulate_extended

from portal.dicom.child_process import ChildGone, ChildProcess
from portal.dicom.content import WINDOW_BYTES, OnDemand, Whole
from portal.dicom.display import unify
from portal.dicom.elements import PixelElement
from portal.dicom.fragments import Fragments
from portal.dicom.header_reader import read_header
from portal.dicom.inflated import STRETCH_BYTES, Inflated
from portal.dicom.part10 import Body, Bytes
from portal.dicom.pixel_data import Picture
from portal.dicom.ranged import Ranged
from portal.dicom.sandbox import Sandbox
from portal.dicom.syntaxes import syntax_of
from portal.errors import IngestRefused
from tests.portal.dicom.files import (
    DEFLATED,
    EXPLICIT,
    RLE,
    TEXT_REPORT,
    compressed,
    file_bytes,
    make_dataset,
    make_file,
    rle_of,
)

SIDE = 512
FRAME_BYTES = SIDE * SIDE * 2
FRAMES = WINDOW_BYTES // FRAME_BYTES + 9


class Sliver(Ranged):
    """Bytes that come a few at a time."""

    def __init__(self, data: bytes, most: int = 1000) -> None:
        super().__init__(len(data))
        self._data, self._most = data, most

    def some(self, start: int, stop: int) -> bytes:
        return self._data[start : min(stop, start + self._most)]


def outcome(data: Bytes) -> Any:
    """All that is read of a file: header, description and frames, or how reading it ends."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = read_header(data)
            if not header.displayable:
                return header
            descriptions = [each for each in Picture(data).describe() if each]
            frames = Picture(data).frames(unify(descriptions))
            return header, descriptions, [zlib.crc32(frame.tobytes()) for frame in frames]
    except IngestRefused as refusal:
        return refusal.code
    except Exception as error:
        return type(error).__name__


@pytest.mark.parametrize("folder", ["syntaxes", "zoo", "malformed", "charsets", "cbct_synthetic_enhanced"])
def test_by_stretches_a_file_is_what_it_is_whole(data_dir: Path, folder: str) -> None:
    for file in sorted((data_dir / folder).iterdir()):
        data = file.read_bytes()
        assert outcome(Sliver(data, 40_000)) == outcome(data), file.name


def large(syntax: str = EXPLICIT, **attributes: Any) -> tuple[bytes, np.ndarray]:
    """A file larger than the window, and its frames."""
    frames = np.arange(FRAMES * SIDE * SIDE, dtype=np.uint32).reshape(FRAMES, SIDE, SIDE)
    frames = ((frames * 7 + (frames >> 18) * 131) & 0xFFF).astype("<u2")
    picture = {"Rows": SIDE, "Columns": SIDE, "NumberOfFrames": FRAMES, "PixelData": frames.tobytes()}
    return make_file(syntax, **{**picture, **attributes}), frames


def deflated_file(**attributes: Any) -> tuple[bytes, np.ndarray]:
    whole, frames = large(**attributes)
    dataset = make_dataset()
    head = file_bytes(dataset, DEFLATED)
    meta_end = 144 + int.from_bytes(head[140:144], "little")
    begin = 144 + int.from_bytes(whole[140:144], "little")
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    return head[:meta_end] + packer.compress(whole[begin:]) + packer.flush(), frames


def rle_file() -> tuple[bytes, np.ndarray]:
    """One picture in one fragment for each frame."""
    _, frames = large()
    packed = [
        rle_of(np.stack([(frame >> 8).ravel(), (frame & 0xFF).ravel()]).astype(np.uint8)) for frame in frames
    ]
    return compressed(packed, RLE, Rows=SIDE, Columns=SIDE, NumberOfFrames=FRAMES), frames


def values(box: Sandbox, data: Any, order: list[int] | None = None) -> Iterator[np.ndarray]:
    """Frames as they were stored: these pictures begin at 0 and step by 1."""
    spec = unify([box.describe_pixels(data)])
    assert (spec.slope, spec.intercept) == (1.0, 0.0)
    return box.decode(data, spec=spec, order=order)


@pytest.mark.parametrize("make", [large, deflated_file, rle_file])
def test_frames_of_a_large_file_come_in_the_order_asked_for(box: Sandbox, make: Any) -> None:
    data, frames = make()
    assert make is deflated_file or len(data) > WINDOW_BYTES
    content = OnDemand(io.BytesIO(data), len(data))
    assert box.read_header(content).number_of_frames == FRAMES
    order = [FRAMES - 1, 0, *range(FRAMES - 2, 0, -1)]
    for index, frame in zip(order, values(box, content, order), strict=True):
        assert np.array_equal(frame, frames[index]), index


def test_of_a_large_file_no_more_than_the_window_is_lent(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, _ = large()
    lent: list[int] = []
    lend = ChildProcess._lend

    def watched(child: ChildProcess, start: int, stop: int) -> None:
        lend(child, start, stop)
        lent.append(512 * os.fstat(child._input_fd).st_blocks)

    monkeypatch.setattr(ChildProcess, "_lend", watched)
    assert sum(1 for _ in box.decode(data)) == FRAMES
    assert max(lent) <= 2 * FRAME_BYTES


def child_of(box: Sandbox) -> ChildProcess:
    box.health()
    assert box._child is not None
    return box._child


WANTS = [[0, 101], [-1, 5], [5, 5], [9, 5], [0, 1 << 60], ["a", 5], [1.5, 5], [1], [1, 2, 3], None, {"a": 1}]


@pytest.mark.parametrize("want", WANTS)
def test_nothing_is_lent_beyond_the_file(box: Sandbox, monkeypatch: pytest.MonkeyPatch, want: Any) -> None:
    child = child_of(box)
    monkeypatch.setattr(child, "_content", Whole(bytes(100)))
    assert child._wanted([0, 100]) == (0, 100)
    with pytest.raises(ChildGone):
        child._wanted(want)


def test_no_more_is_lent_at_once_than_the_window(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    child = child_of(box)
    monkeypatch.setattr(child, "_content", Whole(bytes(WINDOW_BYTES + 1)))
    assert child._wanted([1, WINDOW_BYTES + 1]) == (1, WINDOW_BYTES + 1)
    with pytest.raises(ChildGone):
        child._wanted([0, WINDOW_BYTES + 1])


def test_a_child_buys_no_time_by_asking(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    child, told = child_of(box), []
    monkeypatch.setattr(child, "_content", Whole(bytes(100)))
    monkeypatch.setattr(child, "_next_message", lambda _: ({"want": [0, 1]}, bytearray()))
    monkeypatch.setattr(child, "_tell", told.append)
    with pytest.raises(ChildGone) as gone:
        child.receive(0.05)
    assert gone.value.code == "timeout"
    assert told[0] == {"lent": 1}


def test_a_child_that_asks_and_never_listens_holds_nobody_up(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = child_of(box)
    monkeypatch.setattr(child, "_content", Whole(bytes(100)))
    os.kill(child.pid, signal.SIGSTOP)
    monkeypatch.setattr(child, "_next_message", lambda _: ({"want": [0, 1]}, bytearray()))
    with pytest.raises(ChildGone):
        child.receive(3600.0)
    box.close()


def test_a_large_file_that_is_cut_or_lies_is_a_verdict(box: Sandbox) -> None:
    data = large()[0]
    assert refusal_of(box, data[: -FRAME_BYTES // 2]) == "truncated"
    assert refusal_of(box, large(NumberOfFrames=FRAMES + 1)[0]) == "truncated"
    fewer, frames = large(NumberOfFrames=FRAMES - 1)
    assert np.array_equal(list(values(box, fewer))[-1], frames[FRAMES - 2]), (
        "what follows the frames is padding"
    )
    with pytest.raises(IngestRefused) as refusal:
        list(box.decode(data, order=[FRAMES]))
    assert refusal.value.code == "bad-pixels"


def refusal_of(box: Sandbox, data: bytes) -> str:
    with pytest.raises(IngestRefused) as refusal:
        box.read_header(data)
    return refusal.value.code


def test_a_file_shorter_than_was_said_ends_its_reading() -> None:
    with pytest.raises(EOFError):
        list(OnDemand(io.BytesIO(bytes(1000)), 2000).pieces())
    assert [bytes(piece) for piece in Whole(b"abcdef").pieces(2, 4)] == [b"cd"]


def test_a_long_value_that_nobody_asks_for_is_passed_over() -> None:
    """A document of 40 MB is read for what its header says."""
    document = make_dataset(PixelData=None, SOPClassUID=TEXT_REPORT)
    document.add_new(0x00420011, "OB", bytes(40 << 20))
    data = file_bytes(document)
    with Sandbox() as own:
        own.read_header(make_file())
        before = resident_peak(child_of(own).pid)
        assert own.read_header(data).patient_name == "Grant^Maria"
        assert resident_peak(child_of(own).pid) - before < 8 << 20


def resident_peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


# The offset walk


def items_of(fragments: list[bytes]) -> bytes:
    return b"".join(struct.pack("<HHL", 0xFFFE, 0xE000, len(each)) + each for each in fragments)


def walk(value: bytes, frames: int, extended: tuple[int, ...] = (), *, most: int = 0) -> list[bytes]:
    """The frames of an encapsulated value that begins 10 bytes into its file."""
    data = b"*" * 10 + value
    body = Body(Sliver(data, most) if most else data, 0, syntax_of(RLE), is_implicit=False)
    fragments = Fragments(body, PixelElement(0x7FE00010, 10, 0xFFFFFFFF), extended)
    return [fragments.join(each) for each in fragments.frames(frames)]


DELIMITER = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
CONTINUED = st.binary(max_size=30).map(lambda data: data.replace(b"\xff", b"."))
FRAME_FRAGMENTS = st.tuples(st.binary(max_size=30), st.lists(CONTINUED, max_size=3)).map(
    lambda frame: [b"\xff\xd8" + frame[0], *frame[1]]
)


@settings(deadline=None)
@given(
    frames=st.lists(FRAME_FRAGMENTS, min_size=1, max_size=6),
    table=st.sampled_from(["basic", "extended", "wrong", "none"]),
    ends=st.booleans(),
    most=st.integers(0, 40),
)
def test_frames_over_many_fragments_are_put_together(
    frames: list[list[bytes]], table: str, ends: bool, most: int
) -> None:
    lengths = [sum(8 + len(fragment) for fragment in frame) for frame in frames]
    offsets = tuple(itertools.accumulate(lengths[:-1], initial=0))
    basic = {"basic": offsets, "wrong": tuple(offset + 3 for offset in offsets)}.get(table, ())
    value = items_of([struct.pack(f"<{len(basic)}L", *basic), *(part for frame in frames for part in frame)])
    found = walk(
        value + (DELIMITER if ends else b""),
        len(frames),
        offsets if table == "extended" else (),
        most=most,
    )
    assert found == [b"".join(frame) for frame in frames]


def test_a_table_tells_frames_apart_that_nothing_else_does() -> None:
    fragments = [b"ab", b"cd", b"", b"ef"]
    offsets = (0, 20)
    assert walk(items_of([struct.pack("<2L", *offsets), *fragments]), 2) == [b"abcd", b"ef"]
    assert walk(items_of([b"", *fragments]), 2, offsets) == [b"abcd", b"ef"]
    with pytest.raises(IngestRefused):
        walk(items_of([b"", *fragments]), 2)


def test_an_empty_fragment_is_nobodys() -> None:
    assert walk(items_of([b"", b"", b"ab", b"", b"cd"]), 2) == [b"ab", b"cd"]


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0xFFFFFFFE, 0x80000000, 100])
def test_a_fragment_that_reaches_out_of_the_file_is_cut_short(length: int) -> None:
    value = items_of([b"", b"ab"]) + struct.pack("<HHL", 0xFFFE, 0xE000, length) + b"cd"
    with pytest.raises(IngestRefused) as refusal:
        walk(value, 2)
    assert refusal.value.code == "truncated"


@settings(max_examples=300, deadline=None)
@given(
    start=st.lists(st.binary(max_size=12), max_size=5).map(items_of),
    junk=st.binary(max_size=40),
    frames=st.integers(1, 5),
    extended=st.lists(st.integers(0, (1 << 64) - 1), max_size=5).map(tuple),
    most=st.integers(1, 50),
)
def test_any_walk_stays_inside_the_file_or_ends_in_a_verdict(
    start: bytes, junk: bytes, frames: int, extended: tuple[int, ...], most: int
) -> None:
    def ending(most: int) -> list[bytes] | str:
        try:
            return walk(start + junk, frames, extended, most=most)
        except IngestRefused as refusal:
            return refusal.code

    whole = ending(0)
    assert ending(most) == whole
    if isinstance(whole, str):
        assert whole in ("truncated", "bad-pixels")
    else:
        assert sum(map(len, whole)) + 8 <= len(start + junk)


def test_so_many_fragments_are_refused_before_they_fill_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.dicom.fragments.MAX_FRAGMENTS", 10)
    assert walk(items_of([b"x"] * 9) + DELIMITER, 8) == [b"x"] * 8
    with pytest.raises(IngestRefused) as refusal:
        walk(items_of([b"x"] * 11), 10)
    assert refusal.value.code == "bad-pixels"


@pytest.mark.parametrize("table", ["none", "basic", "extended"])
def test_offset_tables_of_a_file_are_used(box: Sandbox, table: str) -> None:
    """RLE pictures have no mark of their own to begin with; a frame of one fragment needs none."""
    pixels = [np.full(48, value, np.uint16) for value in (5, 300, 4000)]
    packed = [rle_of(np.stack([each >> 8, each & 0xFF]).astype(np.uint8)) for each in pixels]
    more: dict[str, Any] = {}
    if table == "extended":
        value, more["ExtendedOffsetTable"], more["ExtendedOffsetTableLengths"] = encapsulate_extended(packed)
    else:
        value = encapsulate(packed, has_bot=table == "basic")
    dataset = make_dataset(NumberOfFrames=3, PixelData=value, **more)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    seen = [int(frame[0, 0]) for frame in box.decode(file_bytes(dataset, RLE))]
    assert seen == [0, 295, 3995]


# Deflated files


def packed_up(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@settings(deadline=None)
@given(
    data=st.binary(max_size=5000),
    places=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 3000)), max_size=12),
    is_measured=st.booleans(),
)
def test_a_deflated_stream_is_read_at_any_place(
    data: bytes, places: list[tuple[int, int]], is_measured: bool
) -> None:
    packed = packed_up(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("portal.dicom.inflated.STRETCH_BYTES", 700)
        patch.setattr("portal.dicom.inflated.PACKED_BYTES", 64)
        plain = Inflated(lambda offset, length: packed[offset : offset + length], len(data))
        if is_measured:
            assert plain.measure(len(data))
            assert (len(plain), plain.end_offset) == (len(data), len(packed))
        for start, length in places:
            assert plain[start : start + length] == data[start : start + length]


def test_a_cut_or_changed_stream_is_no_stream() -> None:
    packed = packed_up(os.urandom(3000))
    for length in (0, 1, len(packed) // 2, len(packed) - 1):
        with pytest.raises(EOFError):
            Inflated(lambda offset, size, end=length: packed[offset : min(end, offset + size)]).measure(
                1 << 20
            )  # type: ignore[misc]
    with pytest.raises(zlib.error):
        Inflated(lambda offset, size: (b"\xff" * 3000)[offset : offset + size]).measure(1 << 20)
    assert not Inflated(lambda offset, size: packed[offset : offset + size]).measure(2999)


def test_two_stretches_at_most_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.dicom.inflated.STRETCH_BYTES", 1000)
    packed = packed_up(bytes(range(250)) * 400)
    plain = Inflated(lambda offset, length: packed[offset : offset + length])
    assert plain.measure(1 << 20)
    for index in (99, 3, 50, 0):
        assert plain[index * 1000 : index * 1000 + 4] == bytes(range(4))
        assert len(plain._kept) <= 2
    assert STRETCH_BYTES > 1000
