"""How hard a text is to read, and where the words for patients stand.

The grade is Flesch-Kincaid's: 0.39 · words per sentence + 11.8 · syllables per word − 15.59.

Source: J. P. Kincaid et al., "Derivation of new readability formulas", Naval Technical Training Command, 1975.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GETTEXT = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "pgettext", "npgettext"}

_PLACE = re.compile(r"%\(\w+\)s|\{\{.*?\}\}")
_SENTENCE = re.compile(r"[.!?:]+(?:\s|$)|\n+")
_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")


def grade(text: str) -> float:
    """The school grade in which a text is read."""
    sentences = [part for part in _SENTENCE.split(_PLACE.sub("Ana", text)) if _WORD.search(part)]
    words = [word for part in sentences for word in _WORD.findall(part)]
    if not words:
        return 0.0
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def syllables(word: str) -> int:
    """How many syllables an English word has; by its vowels, which is right for nine words in ten."""
    word = re.sub(r"['’].*", "", word.lower())
    groups = len(re.findall(r"[aeiouy]+", word))
    if re.search(r"[^aeiouyl]e$|[^aeiouydt]ed$|[^aeiouylrsxzcg]es$", word):
        groups -= 1
    if re.search(r"(?:i[ao]|eo|[^aeiou]ua)(?!u)", word) and not re.search(r"[cst]io|[cst]ia", word):
        groups += 1
    return max(1, groups)


def words_of_template(page: Path) -> list[str]:
    """The English of a template: what stands in `translate` and `blocktranslate`."""
    text = page.read_text()
    found = [match[1] for match in re.findall(r"""\{% translate (["'])((?:(?!\1).)*)\1""", text)]
    for block in re.findall(r"\{% blocktranslate[^%]*%\}(.*?)\{% endblocktranslate %\}", text, re.DOTALL):
        parts = [" ".join(part.split()) for part in re.split(r"\{% plural %\}", block)]
        found += [re.sub(r"\{\{ *(\w+) *\}\}", r"%(\1)s", part) for part in parts]
    return found


def words_of_module(module: Path) -> Iterator[tuple[str, ...]]:
    """The English of a module: what its calls of gettext name, a plural with its singular."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in GETTEXT:
            texts = [
                arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            ]
            if texts:
                # The first of a pgettext is the context, which nobody reads.
                yield tuple(texts[1:] if "pgettext" in node.func.id else texts)


def bare_words(page: Path) -> list[str]:
    """Words of a template that go to the reader as they stand, past the catalogue."""
    text = re.sub(r"\{% block main_class %\}[\w-]*", "", page.read_text())
    text = re.sub(r"\{% comment %\}.*?\{% endcomment %\}|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"\{% blocktranslate.*?\{% endblocktranslate %\}", "", text, flags=re.DOTALL)
    text = re.sub(r"\{[%{].*?[%}]\}", " ", text, flags=re.DOTALL)
    spoken = re.findall(r'(?:aria-label|alt|placeholder|title)="([^"]*)"', text)
    text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", "\n", text, flags=re.DOTALL)
    return [word for part in [text, *spoken] for word in re.findall(r"[A-Za-z]{2,}", part)]
