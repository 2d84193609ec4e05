"""What a start needs before Django loads: the environment variables, the state folder, the secret key.

Standard library only, and free of `django`: the settings read what stands here. The state folder is private
(umask 077, mode 0700) and belongs for good either to the demo or to a real installation.
"""

from __future__ import annotations

import argparse
import os
import resource
import secrets
from pathlib import Path

from portal.serving.refusal import CannotStart, explain

ROOT = Path(__file__).resolve().parents[2]
SECRET_KEY_BYTES = 48


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `serve` and `demo`; parsed here before Django loads and by the command for its --help."""
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("SCANPASS_PORT", "8000")), help="default 8000"
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        default=Path(os.environ.get("SCANPASS_STATE", ROOT / "var")),
        help="folder of database, vault and keys; default var",
    )
    parser.add_argument(
        "--accept-colocated-keys",
        action="store_true",
        help="let the key file lie on the same disk as the data (staff pages will say so)",
    )


def prepare(argv: list[str]) -> None:
    """Set this process's environment for the command; for `serve`, `demo` and `restore` also make the state folder.

    Raises `CannotStart`.
    """
    os.umask(0o077)
    # A core dump would hold keys and pictures. Every child inherits this, and none can take it back.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    if argv[1:2] not in (["serve"], ["demo"], ["restore"]) or {"-h", "--help"} & set(argv):
        return
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, prog=f"manage.py {argv[1]}")
    add_options(parser)
    options, _ = parser.parse_known_args(argv[2:])
    _export(argv[1], options)
    try:
        # What is restored belongs to a real installation, unless the backup says otherwise.
        owner = "serve" if argv[1] == "restore" else argv[1]
        _make_state(Path(os.environ["SCANPASS_STATE"]), owner=owner)
    except OSError as error:
        raise explain(error) from error


def _export(command: str, options: argparse.Namespace) -> None:
    is_demo = command == "demo"
    os.environ["SCANPASS_PORT"] = str(options.port)
    os.environ["SCANPASS_STATE"] = str(options.state.resolve())
    # Said either way: a SCANPASS_DEMO left over in the shell must not open a real installation.
    os.environ["SCANPASS_DEMO"] = "1" if is_demo else "0"
    if is_demo or options.accept_colocated_keys:
        os.environ["SCANPASS_ACCEPT_COLOCATED_KEYS"] = "1"


def _make_state(state: Path, *, owner: str) -> None:
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    state.chmod(0o700)
    first = _write_once(state / "started_by", owner)
    if first != owner:
        raise CannotStart(
            f"{state} was made by `manage.py {first}`, and sample data and real patients never share a folder."
            f" Give {owner} a folder of its own: python3 manage.py {owner} --state DIR"
        )
    _write_once(state / "secret_key", secrets.token_urlsafe(SECRET_KEY_BYTES))


def _write_once(path: Path, content: str) -> str:
    """What the file holds, after writing `content` where there was no file: whole or not at all, mode 0600."""
    if not path.exists():
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _publish(fresh, path)
    return path.read_text()


def _publish(fresh: Path, path: Path) -> None:
    """Give the file its name; of two starts at once the first wins, and both read the same file."""
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    fresh.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
