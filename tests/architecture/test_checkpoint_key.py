"""The key that signs checkpoints is for the sweep and the commands: no code of the web reaches it."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _importers(module: str) -> set[str]:
    found = set()
    for top in ("portal", "sharing", "viewer"):
        for path in (ROOT / top).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and node.module:
                    names = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
                    if module in names:
                        found.add(str(path.relative_to(ROOT)))
    return found


def test_only_the_sweep_and_the_commands_reach_the_key():
    assert _importers("portal.audit.checkpoint_key") == {
        "portal/audit/checkpoint.py",
        "portal/management/commands/checkpoint.py",
    }
    assert _importers("portal.audit.checkpoint") == {"portal/management/commands/checkpoint.py"}
