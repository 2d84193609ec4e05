"""README.txt of a download: what this is, from whom, and how to open it. It names no patient.

The same grant gives the same words, so a download that was cut goes on where it stopped.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from portal.practice.models import Practice
from sharing.access import Grant
from sharing.models import Share

_LINES: Final = """\
Dental images in DICOM format
=============================

From:     {practice}, {phone}
For:      {recipient}
{when}

How to open them
----------------
1. Unpack this archive into an empty folder.
2. Open or import that folder, or the file DICOMDIR where there is one, with your imaging software.
3. If that fails, download it again in another way: one folder of files, or pictures (JPEG) of single X-rays.

What is here
------------
DICOMDIR          the table of contents, for imaging software (not in every download)
DICOM, *.DCM      the images, as the practice received them
*.JPG             pictures to look at; the images themselves are in the other downloads
MANIFEST.sha256   a checksum of every file; to check them: sha256sum -c MANIFEST.sha256

These files are health information. Keep them as safe as your own records, and delete what you no longer need.
Questions, or not meant for you? Please call {practice}, {phone}.
"""

_RECIPIENTS: Final = {"patient": "the patient", "guardian": "the patient's parent or guardian"}


def readme(grant: Grant) -> bytes:
    """The file, in UTF-8 with the line ends that every editor on every system shows."""
    practice = Practice.objects.get(pk=grant.practice)
    text = _LINES.format(
        practice=practice.name, phone=practice.phone, recipient=_recipient(grant), when=_when(grant)
    )
    return text.replace("\n", "\r\n").encode()


def _recipient(grant: Grant) -> str:
    """A dentist is named. A patient isn't, and a guardian's family name would tell the patient's."""
    if grant.door == "staff":
        return "the practice's own use"
    return _RECIPIENTS.get(grant.actor.role) or grant.actor.label


def _when(grant: Grant) -> str:
    if grant.share_id is None:
        return f"Stored:   {_day(grant.study.created_at)}"
    return f"Shared:   {_day(Share.objects.values_list('created_at', flat=True).get(pk=grant.share_id))}"


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")
