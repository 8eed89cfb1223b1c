"""Runs of letters of scripts without spaces, and what stands for them in an index of words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.kernel.spaceless import RUN, pairs, spaced


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("plain words, 12", ["plain", "words,", "12"]),
        ("認証", ["認証", "証"]),
        ("GPT4のAPI認証", ["GPT4", "の", "API", "認証", "証"]),
        ("トークン・ログ", ["トー", "ーク", "クン", "ン", "・", "ログ", "グ"]),
        ("토큰을 갱신", ["토큰", "큰을", "을", "갱신", "신"]),
        ("ﾄｰｸﾝ", ["トー", "ーク", "クン", "ン"]),
        ("\uff21\uff30\uff29", ["API"]),
        ("か\u3099", ["が"]),
        ("𠮷野家", ["𠮷野", "野家", "家"]),
        ("木", ["木"]),
        ("Zoë, ж", ["Zoë,", "ж"]),
    ],
)
def test_a_run_stands_there_as_pairs_and_a_last_letter(text: str, words: list[str]) -> None:
    assert spaced(text).split() == words


@given(st.text(alphabet="認証トークンを토큰ab 1é", max_size=30), st.integers(0, 30), st.integers(1, 5))
def test_every_piece_of_a_run_is_there_as_its_pairs_in_a_row(text: str, start: int, length: int) -> None:
    piece = text[start : start + length]
    if RUN.fullmatch(piece):
        wanted = pairs(piece) or [piece]
        there = spaced(text).split()
        assert any(
            there[at : at + len(wanted)] == wanted or (len(piece) == 1 and there[at].startswith(piece))
            for at in range(len(there))
        )
