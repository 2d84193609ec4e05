"""The verdicts on a file that can't be taken: a short word for machines and a sentence for people.

A verdict never carries a value from the file: names, numbers and UIDs stay out of messages and logs.
"""

from __future__ import annotations

from typing import Final

from portal.errors import IngestRefused

SENTENCES: Final[dict[str, str]] = {
    "not-dicom": "This is not a DICOM file. Send the files as your imaging software exported them.",
    "empty": "This file is empty. Export it again from your imaging software.",
    "truncated": "This file is cut short. Export it again, then send it again.",
    "no-uid": "This file has no identifying number of its own. Export it again from your imaging software.",
    "bad-header": "This file's header can't be read. Export it again from your imaging software.",
    "too-large": "This file is larger than we take: 4 GiB of picture, 512 MiB a frame, 16,384 pixels a side.",
    "pixel-size": "The size this file states does not fit the picture in it. Export it again.",
    "bad-pixels": "The picture in this file can't be read. Export it again, if possible without compression.",
    "unsupported": "The way this picture is stored is not supported. Export it again without compression.",
    "deflate-bomb": "This file unpacks to far more than its size allows, so it was not opened.",
    "too-deep": "This file nests its parts too deeply to be read. Export it again.",
    "timeout": "Reading this file took too long, so it was stopped. Export it again, or send it in smaller parts.",
    "memory": "Reading this file needs more memory than allowed. Export it again in smaller parts.",
    "crashed": "Reading this file failed. Export it again from your imaging software.",
    "zip-damaged": "This ZIP is damaged or incomplete. Pack it again, then send it again.",
    "zip-entries": "This ZIP holds more than 20,000 files. Send it in smaller parts.",
    "zip-bytes": "This ZIP unpacks to more than we take: 8 GiB in all, 2 GiB a file. Send it in smaller parts.",
    "zip-ratio": "This ZIP unpacks to far more than its size allows, so it was not opened.",
    "zip-overlap": "Files in this ZIP lie over each other, so it was not opened. Pack it again.",
    "zip-nested": "There is a ZIP inside this ZIP. Unpack the inner one and send its files.",
    "zip-link": "This ZIP holds a link instead of a file. Pack the files themselves.",
    "zip-encrypted": "This ZIP has a password. Pack it without one; we encrypt what we store.",
    "zip-path": "A file name in this ZIP leads outside it, so it was not opened. Pack it again.",
}


def refused(code: str) -> IngestRefused:
    """The refusal for `code`, with its sentence; an unknown code becomes `crashed`."""
    known = code if code in SENTENCES else "crashed"
    return IngestRefused(known, SENTENCES[known])
