"""Scripts that put no spaces between words, or join what a word needs to it: Chinese, Japanese and Korean. Pure.

A run of their letters is a sentence as often as a word. So whoever looks for words in one looks at its pairs: each
letter with the next one, and the last by itself.
"""

from __future__ import annotations

import re
import unicodedata

# Hangul and its parts, kana with the marks that repeat or lengthen, bopomofo, ideographs, and those outside of the
# basic plane. The middle dot of katakana (30FB) parts words.
LETTERS = (
    "\u1100-\u11ff\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u3131-\u318e"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7fb\uf900-\ufaff"
    "\uff66-\uff9d\uffa0-\uffdc\U00020000-\U000323af"
)
RUN = re.compile(f"[{LETTERS}]+")


def unified(text: str) -> str:
    """Letters of other widths and forms as the usual ones, accents joined to their letters."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def pairs(run: str) -> list[str]:
    """Each letter of a run with the next one."""
    return [run[place : place + 2] for place in range(len(run) - 1)]


def spaced(text: str) -> str:
    """The text with its runs as pairs and a last letter, with spaces between them: words for an index."""
    return text if text.isascii() else RUN.sub(_apart, unified(text))


def _apart(found: re.Match[str]) -> str:
    run = found[0]
    return f" {' '.join(pairs(run))} {run[-1]} "
