"""What the terminal shows once the site answers; the ready line is always the last.

The demo's passwords and links are printed because its patients are invented; `serve` prints one owner link,
once.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import segno

WALK = {"patient": "the patient", "guardian": "the guardian", "dentist": "the referring dentist"}


def ready_line(port: int) -> str:
    """The line that people and scripts wait for."""
    return f"Scanpass is running at http://127.0.0.1:{port} — press Ctrl-C to stop."


def of_demo(state: Path, *, with_qr: bool) -> str:
    """Everything needed to walk the demo as each of its people, from `state`/demo.json."""
    demo = json.loads((state / "demo.json").read_text())
    lines = ["", "This is the demo: invented people, and text messages that go nowhere.", ""]
    lines += [
        f"  Sign in           {demo['base_url']}/",
        f"  Everyone's keys   {demo['base_url']}/demo/",
        f"  Messages          {demo['base_url']}/demo/outbox",
        "",
    ]
    for person in demo["staff"]:
        lines += _staff(person)
    if with_qr and demo["staff"]:
        lines += _qr(demo["staff"][0])
    for share in demo["shares"]:
        lines += _share(share)
    return "\n".join(lines)


def of_first_serve(owner_link: str) -> str:
    """The one-time link with which the practice's owner makes the first account."""
    return (
        "\nThis installation has no owner yet. Open this link to become its owner; it works once:\n\n"
        f"  {owner_link}\n"
    )


def _staff(person: dict[str, Any]) -> list[str]:
    return [
        f"  {person['role'].replace('_', ' ').capitalize()} of {person['practice']}",
        f"    E-mail          {person['email']}",
        f"    Password        {person['password']}",
        f"    Code app key    {person['totp_secret']}",
        "",
    ]


def _qr(person: dict[str, Any]) -> list[str]:
    """The key of the first account for an authenticator app, as blocks a phone's camera reads."""
    label = quote(f"Scanpass:{person['email']}")
    uri = f"otpauth://totp/{label}?{urlencode({'secret': person['totp_secret'], 'issuer': 'Scanpass'})}"
    drawing = io.StringIO()
    segno.make(uri, error="l").terminal(out=drawing, compact=True)
    return [f"  Scan this with a code app to sign in as {person['email']}:", "", drawing.getvalue()]


def _who(share: dict[str, Any]) -> str:
    """ "The link of Anh Nguyen, the guardian of Lily Nguyen, from Smile Dental": two of them may be patients."""
    of = "" if share["recipient"] == "patient" else f" of {share['patient']}"
    return f"The link of {share['recipient_name']}, {WALK[share['recipient']]}{of}, from {share['practice']}"


def _share(share: dict[str, Any]) -> list[str]:
    lines = [f"  {_who(share)}", f"    {share['link']}"]
    if share["recipient"] == "dentist":
        lines.append(f"    Address to type {share['address']}")
    else:
        lines.append(f"    Birth date      {share['birthdate']} (year-month-day)")
    lines.append("    Code            appears on the messages page when it is asked for")
    return [*lines, ""]
