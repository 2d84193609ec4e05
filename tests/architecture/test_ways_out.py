"""Ways by which an image must never leave, nor a safeguard be sold: none of them is in the source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def sources(*patterns: str) -> Iterator[tuple[Path, str]]:
    for pattern in patterns:
        for path in ROOT.glob(pattern):
            yield path, path.read_text()


PYTHON = ("portal/**/*.py", "sharing/**/*.py", "viewer/**/*.py")
PAGES = ("templates/**/*.html", "static/js/**/*.js")


ATTACHMENTS = r"\.attach\(|attach_file|attach_alternative|MIMEBase|MIMEImage"
CLOUDS = r"ftplib|\bftps?://|dropbox|googleapis|onedrive|icloud|box\.com|wetransfer"
STORES = r"localStorage|sessionStorage|indexedDB|serviceWorker|\bcaches\.(open|match)|showSaveFilePicker"
SOCIAL = r"og:image|twitter:card|facebook|whatsapp|instagram|linkedin|tiktok"


def lines_with(expression: str, text: str) -> list[str]:
    wanted = re.compile(expression, re.IGNORECASE)
    return [line.strip() for line in text.splitlines() if wanted.search(line)]


def found(expression: str, *patterns: str, but: str = "") -> list[str]:
    """Every line of the sources with one of these; `but` is a file that may, for the reason at the call."""
    return [
        f"{path.relative_to(ROOT)}: {line}"
        for path, text in sources(*patterns)
        if str(path.relative_to(ROOT)) != but
        for line in lines_with(expression, text)
    ]


def test_r12_r21_no_mail_carries_an_attachment() -> None:
    assert found(ATTACHMENTS, *PYTHON) == []


def test_r12_no_ftp_no_consumer_cloud() -> None:
    assert found(CLOUDS, *PYTHON, *PAGES) == []


def test_r22_viewer_keeps_nothing_on_the_device() -> None:
    # The desk's tab remembers which upload to go on with: ids and lengths, no name and no image.
    assert found(STORES, *PAGES, but="static/js/desk/remembered.js") == []


def test_r24_no_social_button_and_no_preview_of_a_link() -> None:
    assert found(SOCIAL, *PAGES) == []
    base = (ROOT / "templates" / "base.html").read_text()
    assert '<meta name="robots" content="noindex, nofollow">' in base


def test_r27_no_safeguard_is_behind_a_licence_or_a_tier() -> None:
    settings = (ROOT / "portal" / "settings.py").read_text()
    assert not re.search(r"LICEN[CS]E_KEY|PREMIUM|ENTERPRISE|_TIER\b|FEATURE_FLAG", settings)
    switches = re.findall(r'env\.bool\(\s*"(SCANPASS_\w+)"', settings)
    # None of these turns encryption, the trail, the second factor or an agreement off.
    assert set(switches) <= {
        "SCANPASS_DEMO",
        "SCANPASS_ACCEPT_COLOCATED_KEYS",
        "SCANPASS_SSL_REDIRECT",
        "SCANPASS_STATIC_FROM_SOURCE",
        "SCANPASS_WEBHOOK_CALLS",  # what the operator's own gateway can do
    }, "a new switch: say in this list why no safeguard hangs on it"


@pytest.mark.parametrize(
    ("expression", "planted"),
    [
        (ATTACHMENTS, "message.attach('scan.dcm', data)"),
        (CLOUDS, "import ftplib"),
        (STORES, "localStorage.setItem('slice', pixels)"),
        (SOCIAL, '<a href="https://facebook.com/sharer">'),
    ],
)
def test_a_planted_one_would_be_found(expression: str, planted: str) -> None:
    assert lines_with(expression, f"first\n    {planted}\nlast") == [planted]
