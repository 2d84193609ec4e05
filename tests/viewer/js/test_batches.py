"""batches.js asks in short ranges and takes nothing but what it asked for."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]

READ = """
const reader = new m.BatchReader(arg.items, 100);
const got = [];
try {
  for (let at = 0; at < arg.bytes.length; at += arg.step) {
    for (const { index, payload } of reader.push(Uint8Array.from(arg.bytes.slice(at, at + arg.step)))) {
      got.push([index, Array.from(new Uint8Array(payload))]);
    }
  }
  reader.end();
  return { got };
} catch (error) {
  if (!(error instanceof m.BatchDamaged)) throw error;
  return { got, failedAt: error.index };
}
"""


def record(index: int, payload: bytes, length: int | None = None) -> bytes:
    return struct.pack(">II", index, len(payload) if length is None else length) + payload


@pytest.mark.parametrize(
    ("items", "ranges"),
    [([], ""), ([4], "4"), ([3, 4, 5, 9], "3-5,9"), ([5, 4, 3], "5,4,3"), ([7, 8, 6, 9, 10], "7-8,6,9-10")],
)
def test_ranges_keep_the_order(run: Run, items: list[int], ranges: str) -> None:
    assert run("batches", "return m.toRanges(arg)", items) == ranges


@pytest.mark.parametrize(("mean", "limit", "count"), [(1000, 5040, 5), (9000, 5000, 1), (10, 10**6, 512)])
def test_batch_is_as_long_as_the_limit_allows(run: Run, mean: int, limit: int, count: int) -> None:
    plan = run("batches", "return m.planBatch(arg.items, arg.mean, arg.limit)",
               {"items": list(range(600)), "mean": mean, "limit": limit})  # fmt: skip
    assert plan == list(range(count))


def test_most_wanted_come_first_the_others_in_stored_order(run: Run) -> None:
    assert run("batches", "return m.planBatch([37, 38, 36, 39, 35], 1, 99)") == [37, 38, 36, 35, 39]


def test_suspect_items_travel_in_small_batches(run: Run) -> None:
    plan = "return m.planBatch(arg, 1, 10_000, (item) => (item === 4 ? 2 : item === 9 ? 1 : 512))"
    assert run("batches", plan, [3, 4, 5]) == [3, 4]
    assert run("batches", plan, [9, 3]) == [9]
    assert run("batches", plan, [3, 9, 5]) == [3]


def test_nothing_wanted_plans_nothing(run: Run) -> None:
    assert run("batches", "return m.planBatch([], 1, 10)") == []


@pytest.mark.parametrize("step", [1, 3, 7, 8, 9, 64, 1000])
def test_reader_takes_the_stream_in_pieces_of_any_size(run: Run, step: int) -> None:
    payloads = [b"", bytes(range(50)), b"x", bytes(100)]
    stream = b"".join(record(i + 3, payload) for i, payload in enumerate(payloads))
    answer = run("batches", READ, {"items": [3, 4, 5, 6], "bytes": list(stream), "step": step})
    assert answer == {"got": [[i + 3, list(payload)] for i, payload in enumerate(payloads)]}


@pytest.mark.parametrize(
    ("stream", "failed_at"),
    [
        (record(4, b"ab"), 3),  # another item
        (record(3, b"ab") + record(3, b"ab"), 4),  # one twice
        (record(3, b"ab", length=101), 3),  # longer than any honest one
        (record(3, b"ab") + record(4, b"abc")[:-1], 4),  # cut in the payload
        (record(3, b"ab") + record(4, b"")[:5], 4),  # cut in the head
        (record(3, b"ab"), 4),  # one too few
        (record(3, b"ab") + record(4, b"c") + record(5, b"d"), None),  # one too many
    ],
)
def test_reader_refuses_what_was_not_asked_for(run: Run, stream: bytes, failed_at: int | None) -> None:
    answer = run("batches", READ, {"items": [3, 4], "bytes": list(stream), "step": 5})
    assert "failedAt" in answer or failed_at is None
    assert answer.get("failedAt") == failed_at
    assert len(answer["got"]) == (2 if failed_at is None else failed_at - 3)
