"""Write the vault's vectors: one case a file, the name is the case. The same bytes each time.

python -m tests.vectors.vault.make_vectors
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.vectors.vault import key_cases, manifest_cases, object_cases
from tests.vectors.vault.cast import Case

FOLDER = Path(__file__).parent


def all_cases() -> dict[str, Case]:
    """Every case by name. Raises ValueError for a name given twice."""
    cases: dict[str, Case] = {}
    for case in (*object_cases.cases(), *key_cases.cases(), *manifest_cases.cases()):
        if case["case"] in cases:
            raise ValueError(f"Two cases are called {case['case']}.")
        cases[case["case"]] = case
    return cases


def spell(case: Case) -> str:
    return json.dumps(case, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for name, case in all_cases().items():
        (FOLDER / f"{name}.json").write_text(spell(case), encoding="utf-8")


if __name__ == "__main__":
    main()
