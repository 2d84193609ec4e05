"""`manage.py keyring`: the keys' life: made, turned over, retired, escrowed, recovered."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.audit import installation, kept, trail
from portal.audit.actor import system
from portal.audit.events import FAILED, REFUSED
from portal.clock import now
from portal.errors import ScanpassError
from portal.practice.key_vendor import require_for_keys
from portal.practice.models import Practice
from portal.sealed import keys, rotation
from portal.vault.escrow import open_sheet, seal_sheet
from portal.vault.providers import keyring_file
from portal.vault.providers.file import FileProvider
from portal.vault.providers.keyring_file import KeyringContent


class Command(BaseCommand):
    help = "Look after the keys. Start with: keyring status"
    # The check that keys lie apart must not keep anybody from looking at them.
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        deeds.add_parser("create", help="make the key file where there is none")
        deeds.add_parser("status", help="what there is, what needs what, and what is overdue")
        for name, words in (
            ("rotate", "add a new key-encryption key (or practice key) and use it from now on"),
            ("rewrap", "wrap everything under the newest key; run it again after an interruption"),
        ):
            deed = deeds.add_parser(name, help=words)
            deed.add_argument("--practice", type=uuid.UUID, help="the practice's own key instead")
        retire = deeds.add_parser("retire", help="drop an old version that nothing needs any more")
        retire.add_argument("version", type=int)
        for name, words in (
            ("escrow", "write the sheet to print and lock away; a passphrase opens it"),
            ("verify-escrow", "open a sheet and compare it with the keys in use; at least every 90 days"),
            ("recover", "make the key file again from a sheet"),
        ):
            deed = deeds.add_parser(name, help=words)
            deed.add_argument("sheet", type=Path)
            deed.add_argument("--passphrase-file", type=Path, help="read it from here instead of asking")

    def handle(self, *args: Any, **options: Any) -> None:
        deed = getattr(self, options["deed"].replace("-", "_"))
        try:
            deed(options)
        except ScanpassError as refusal:
            reason = refusal.details.get("reason")
            raise CommandError(f"{refusal.sentence}{f' ({reason})' if reason else ''}") from None

    # --- life ------------------------------------------------------------------------------------------------------

    def create(self, options: dict[str, Any]) -> None:
        path = _file_keyring()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            FileProvider.create(path)
        except FileExistsError:
            raise CommandError("There is a key file already; it is never written over.") from None
        self.stdout.write("Made. Print its escrow sheet next: manage.py keyring escrow SHEET.txt")

    def status(self, options: dict[str, Any]) -> None:
        provider = keys.provider()
        provider.health()
        active, used = provider.active_version(), rotation.versions_in_use()
        self.stdout.write(f"provider {settings.KEY_PROVIDER}: it wraps and unwraps")
        for version in sorted(provider.versions() | set(used)):
            mark = "  active" if version == active else ""
            self.stdout.write(f"version {version}: {used.get(version, 0)} practice keys{mark}")
        for line in _warnings(active, used, provider.versions()):
            self.stdout.write(f"WARNING: {line}")

    def rotate(self, options: dict[str, Any]) -> None:
        _require_agreements(options["practice"], "rotate")
        if options["practice"]:
            version = rotation.rotate_practice_key(
                options["practice"], note=_noting("keyring.practice-key-changed")
            )
            self.stdout.write(
                f"The practice's key has version {version}. Now: manage.py keyring rewrap --practice ID"
            )
            return
        # First the entry: one for a rotation that was then interrupted says no more than it claims.
        installation.note("keyring.rotation-begun", active_version=keys.provider().active_version())
        version = keys.provider().rotate()
        self.stdout.write(f"Version {version} is the active one. Now: manage.py keyring rewrap")

    def rewrap(self, options: dict[str, Any]) -> None:
        _require_agreements(options["practice"], "rewrap")
        if options["practice"]:
            done = rotation.rewrap_study_keys(
                options["practice"], note=_noting("keyring.study-keys-rewrapped")
            )
            self.stdout.write(f"{done} study keys rewrapped.")
            return
        done = sum(1 for _ in rotation.rewrap(note=_noting("keyring.rewrapped")))
        keys.forget_keys()
        self.stdout.write(f"{done} practice keys rewrapped.")

    def retire(self, options: dict[str, Any]) -> None:
        version = options["version"]
        if not rotation.needed_by(version):
            installation.note("keyring.retirement-begun", version=version)
        rotation.retire(version)
        self.stdout.write(f"Version {version} is gone. Make a new escrow sheet and destroy the old one.")

    # --- escrow ----------------------------------------------------------------------------------------------------

    def escrow(self, options: dict[str, Any]) -> None:
        content = FileProvider(_file_keyring()).content()
        known = KeyringContent.decode(content)
        sheet = seal_sheet(content, _passphrase(options, twice=True))
        _write_new(options["sheet"], _printed(sheet, known))
        installation.note("keyring.escrow-made", versions=sorted(known.keys))
        self.stdout.write("Print it, then check what was printed: manage.py keyring verify-escrow SHEET")

    def verify_escrow(self, options: dict[str, Any]) -> None:
        try:
            held = self._opened(options)
        except ScanpassError:
            # Somebody who tries passphrases leaves a trace, and a sheet that doesn't open is news for its owner.
            kept.note("keyring.escrow-verified", outcome=REFUSED)
            raise
        known = KeyringContent.decode(FileProvider(_file_keyring()).content())
        missing = [
            version
            for version, stored in known.keys.items()
            if version not in held.keys or held.keys[version].key != stored.key
        ]
        if missing:
            installation.note("keyring.escrow-verified", outcome=FAILED, missing=sorted(missing))
            raise CommandError(
                f"The sheet lacks version {', '.join(map(str, missing))} of the keys. Make a new one: keyring escrow"
            )
        installation.note("keyring.escrow-verified", versions=sorted(known.keys))
        self.stdout.write(
            f"The sheet opens and holds every key. Check it again within {settings.ESCROW_VERIFY_DAYS} days."
        )

    def recover(self, options: dict[str, Any]) -> None:
        path = _file_keyring()
        try:
            held = self._opened(options)
        except ScanpassError:
            # After a fire there is no trail yet: it is kept until the restore brings one.
            kept.note("keyring.recovered", outcome=REFUSED)
            raise
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            keyring_file.create(path, held)
        except FileExistsError:
            kept.note("keyring.recovered", outcome=FAILED)
            raise CommandError(
                "There is a key file already; it is never written over. Move it away first."
            ) from None
        kept.note("keyring.recovered", versions=len(held.keys))
        self.stdout.write(f"The key file is back, with {len(held.keys)} versions.")

    def _opened(self, options: dict[str, Any]) -> KeyringContent:
        try:
            sheet = options["sheet"].read_text()
        except OSError:
            raise CommandError(f"{options['sheet']} can't be read.") from None
        return KeyringContent.decode(open_sheet(sheet, _passphrase(options, twice=False)))


def _require_agreements(practice: uuid.UUID | None, deed: str) -> None:
    """No key is newly entrusted to a vendor without an agreement, of this practice or of any."""
    for one in [practice] if practice else Practice.objects.values_list("pk", flat=True):
        require_for_keys(one, deed=deed, actor=system(one))


def _noting(code: str) -> rotation.Note:
    def note(practice: uuid.UUID, facts: dict[str, Any]) -> None:
        trail.record(code, actor=system(practice), **facts)

    return note


def _warnings(active: int, used: dict[int, int], held: frozenset[int]) -> list[str]:
    lines = [
        f"version {version} wraps practice keys and can't be reached: what it opens is closed."
        for version in used
        if version not in held
    ]
    if any(version != active for version in used):
        lines.append("not everything is under the active version. Run: manage.py keyring rewrap")
    if settings.KEY_PROVIDER != "file":
        return lines
    if FileProvider(settings.KEYRING_PATH).shares_file_system_with(_data_places()):
        lines.append("the key file lies on the disk of the data it opens; see SCANPASS_KEYRING.")
    if installation.escrow_is_overdue(active):
        lines.append(
            "no escrow sheet with the active key was checked lately. Run: manage.py keyring verify-escrow"
        )
    return lines


def _data_places() -> list[Path]:
    database = settings.DATABASES["default"]
    return [settings.VAULT_DIR, *([Path(database["NAME"])] if "sqlite3" in database["ENGINE"] else [])]


def _file_keyring() -> Path:
    if settings.KEY_PROVIDER != "file":
        raise CommandError(
            f"The keys are in {settings.KEY_PROVIDER}, which keeps them itself; there is no key file."
        )
    return settings.KEYRING_PATH


def _passphrase(options: dict[str, Any], *, twice: bool) -> str:
    if options["passphrase_file"]:
        try:
            return str(options["passphrase_file"].read_text().strip())
        except OSError:
            raise CommandError(f"{options['passphrase_file']} can't be read.") from None
    if not sys.stdin.isatty():
        raise CommandError("Run this at a terminal to type the passphrase, or give --passphrase-file.")
    typed = getpass.getpass("Passphrase of the sheet: ")
    if twice and getpass.getpass("Once more: ") != typed:
        raise CommandError("The two were not the same.")
    return typed


def _write_new(path: Path, text: str) -> None:
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise CommandError(f"{path} exists already; a sheet is never written over.") from None


def _printed(sheet: str, known: KeyringContent) -> str:
    versions = ", ".join(map(str, sorted(known.keys)))
    return (
        "SCANPASS - ESCROW OF THE KEYS\n\n"
        f"Made on {now():%Y-%m-%d}. Key versions: {versions}; active: {known.active}.\n"
        "With its passphrase this sheet opens every scan and every name. Keep the two in different places,\n"
        "neither of them near the computers, and check the sheet at least every 90 days:\n"
        "    manage.py keyring verify-escrow SHEET.txt\n"
        "To get the keys back, type or scan the lines below into a file, and run:\n"
        "    manage.py keyring recover SHEET.txt\n\n"
        f"{sheet}\n"
        "Each line ends with its own check. I and L are read as 1, O as 0; small letters are fine.\n"
    )
