"""Reading checkpoints back as anchors: what each chain's entries were, as noted and signed earlier.

Pure: notes in, points out. Needs the verifier key and nothing else.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from portal.audit.checkpoint_text import Checkpoint, decode, digest
from portal.audit.signed_note import VerifierKey, is_signed_in_the_name_of, open_note
from portal.errors import InvalidInput


def from_notes(notes: Iterable[str], *keys: VerifierKey) -> dict[uuid.UUID, dict[int, bytes]]:
    """Per practice the points, n and hash, that the notes hold the trail to.

    Raises InvalidInput for a note that none of `keys` signed, for two different ones of the same number, and for one
    that does not follow from the one before it where both are there.
    """
    by_sequence: dict[int, tuple[str, Checkpoint]] = {}
    for note in notes:
        key = next((one for one in keys if is_signed_in_the_name_of(note, one)), keys[0])
        said = decode(open_note(note, key))
        if by_sequence.setdefault(said.sequence, (note, said))[0] != note:
            raise InvalidInput(
                f"There are two different checkpoints {said.sequence}, both signed: keep both."
            )
    for sequence, (_, said) in by_sequence.items():
        before = by_sequence.get(sequence - 1)
        if before and said.previous != digest(before[0]):
            raise InvalidInput(
                f"Checkpoint {sequence} does not follow from checkpoint {sequence - 1}: keep both."
            )
    return _points(said for _, said in by_sequence.values())


def _points(checkpoints: Iterable[Checkpoint]) -> dict[uuid.UUID, dict[int, bytes]]:
    points: dict[uuid.UUID, dict[int, bytes]] = {}
    for said in checkpoints:
        for practice, (n, head) in said.heads.items():
            if n and points.setdefault(practice, {}).setdefault(n, head) != head:
                raise InvalidInput(f"Two checkpoints disagree about entry {n} of {practice}: keep both.")
    return points
