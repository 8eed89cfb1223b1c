"""Overlap of paths and globs, against every path over a small alphabet, tried one by one."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from comity.rooms.claims.patterns import Pattern, compiled, expand, holds, meet
from tests.rounds import rounds

NAMES = ["".join(letters) for size in range(1, 5) for letters in product("ab", repeat=size)]
PATHS = [parts for depth in range(1, 6) for parts in product("ab", repeat=depth)]


def as_regex(segment: str) -> str:
    """One segment, read anew: this is the meaning, not the algorithm."""
    text = ""
    for part in re.findall(r"\[[!^]?.[^\]]*\]|.", segment):
        if part == "*":
            text += "[^/]*"
        elif part == "?":
            text += "[^/]"
        elif part.startswith("[") and len(part) > 2:
            inverted = part[1] in "!^"
            inner = "".join("\\" + c if c in "\\^]" else c for c in part[1 + inverted : -1])
            text += f"(?:[{'^' * inverted}{inner}]|{re.escape(part)})"
        else:
            text += re.escape(part)
    return text


def matches(pattern: str, tree: bool, parts: tuple[str, ...]) -> bool:
    """Whether a path is meant."""

    def rest(i: int, j: int) -> bool:
        if i == len(wanted):
            return tree or j == len(parts)
        if wanted[i] == "**":
            return any(rest(i + 1, k) for k in range(j, len(parts) + 1))
        return j < len(parts) and bool(re.fullmatch(as_regex(wanted[i]), parts[j])) and rest(i + 1, j + 1)

    wanted = pattern.split("/")
    return rest(0, 0)


def pattern(text: str, tree: bool = False) -> Pattern:
    return compiled(text, tree, False)


segment = st.text("ab*?", min_size=1, max_size=3).filter(lambda text: "**" not in text)
classy = st.lists(st.sampled_from(["a", "b", "*", "?", "[ab]", "[!a]", "[a-b]", "[b]"]), min_size=1, max_size=2)
part = st.one_of(st.sampled_from(["a", "b", "*", "?", "**", "**"]), segment.filter(lambda text: len(text) == 1))
glob = st.lists(part, min_size=1, max_size=4).map("/".join)


@given(segment, segment)
@example("a*b", "?")
@example("*a*", "b*b")
def test_one_segment(left: str, right: str) -> None:
    both = any(matches(left, False, (name,)) and matches(right, False, (name,)) for name in NAMES)
    longer = any(matches(left, False, (n + m,)) and matches(right, False, (n + m,)) for n in NAMES for m in NAMES[:6])
    assert meet(pattern(left), pattern(right)) == meet(pattern(right), pattern(left)) == (both or longer)


@given(classy.map("".join), st.text("ab[]!", min_size=1, max_size=4))
@settings(max_examples=rounds(100, 300))
def test_classes_stand_for_one_of_their_characters_and_for_themselves(wild: str, name: str) -> None:
    if "[" not in name or "]" not in name:
        assert meet(pattern(wild), pattern(name)) == matches(wild, False, (name,))
        assert meet(pattern(name), pattern(wild)) == matches(wild, False, (name,))
    assert meet(pattern(name), pattern(name))


@given(glob, st.booleans(), glob, st.booleans())
@settings(max_examples=rounds(250, 1000))
@example("**/a", False, "**/b", False)
@example("a/**", False, "a", False)
@example("*/a", False, "a/**/b", False)
def test_paths(left: str, left_tree: bool, right: str, right_tree: bool) -> None:
    one, other = pattern(left, left_tree), pattern(right, right_tree)
    if (left + "/").startswith(right + "/") or (right + "/").startswith(left + "/"):
        assert meet(one, other)  # what the other goes on below is a folder
        return
    both = any(matches(left, left_tree, path) and matches(right, right_tree, path) for path in PATHS)
    if len(left.split("/")) + len(right.split("/")) <= 5 or both:  # else the shortest may be longer than these
        assert meet(one, other) == both
    assert meet(one, other) == meet(other, one)
    assert meet(one, one)


@given(glob, glob, st.booleans())
@settings(max_examples=rounds(150, 500))
def test_what_is_held_lies_inside(outer: str, inner: str, tree: bool) -> None:
    if holds(pattern(outer, tree), pattern(inner)):
        inside = [path for path in PATHS if matches(inner, False, path)]
        assert all(matches(outer, tree, path) for path in inside)


@pytest.mark.parametrize(
    ("left", "right", "meets"),
    [
        ("src", "src/a.py", True),
        ("src/**", "src/a/b/c.py", True),
        ("src/**", "srcs/a.py", False),
        ("*.py", "a.py", True),
        ("*.py", "src/a.py", False),
        ("**/*.py", "a.py", True),
        ("src/**/test_?.py", "src/test_1.py", True),
        ("src/**/test_?.py", "src/a/b/test_12.py", False),
        ("src/*", "src/a/b.py", False),
        ("src/*.py", "src/**/*.md", False),
        ("**/README.md", "**/package.json", False),
        ("**/test_*", "tests/*_1.py", True),
        ("a*c*e", "?b?d?", True),
        ("a*b*c", "x*", False),
        ("[ab].py", "b.py", True),
        ("[!ab].py", "b.py", False),
        ("app/[slug]/page.tsx", "app/[slug]/page.tsx", True),
        ("app/[slug]/page.tsx", "app/**/page.*", True),
        ("app/[...rest]", "app/[...rest]/x", True),
        ("[]].x", "].x", True),
        ("[", "[", True),
        ("x[1", "x[2", False),
        ("**", ".", True),
        (".", "anything/at/all", True),
        ("a**b", "axxb", True),
        ("[^a-c]z", "dz", True),
    ],
)
def test_examples(left: str, right: str, meets: bool) -> None:
    assert meet(pattern(left), pattern(right)) is meets
    assert meet(pattern(right), pattern(left)) is meets


def test_trees() -> None:
    assert meet(pattern("src", True), pattern("**/x.py"))
    assert not meet(pattern("src/a.py"), pattern("**/x.py"))
    assert meet(pattern("packages/*/src", True), pattern("packages/one/src/x/y.py"))
    assert not meet(pattern("packages/*/src"), pattern("packages/one/src/x/y.py"))


def test_case_and_composition() -> None:
    assert meet(compiled("SRC/Ä.py", False, True), compiled("src/ä.*", False, True))
    assert not meet(compiled("SRC/a.py", False, False), compiled("src/a.py", False, False))
    assert meet(pattern("u\u0308.txt"), pattern("\u00fc.txt"))
    assert meet(compiled("stra?e", False, True), compiled("straße", False, True))


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("a", ["a"]),
        ("a/{b,c}.py", ["a/b.py", "a/c.py"]),
        ("{a,{b,c}}", ["a", "b", "c"]),
        ("{a,b}/{c,d}", ["a/c", "a/d", "b/c", "b/d"]),
        ("{{cookiecutter.name}}/x", ["{{cookiecutter.name}}/x"]),
        ("{a,}b", ["ab", "b"]),
        ("}{", ["}{"]),
        ("{a,b}" * 9, None),
    ],
)
def test_alternatives(text: str, paths: list[str] | None) -> None:
    found = expand(text)
    assert (None if found is None else sorted(found)) == (None if paths is None else sorted(paths))


def test_odd_characters() -> None:
    for name in ("a\nb.py", "a\\b.py", "a.b+c(d).py", "\U0010ffff.py", "a b.py", "$^.py"):
        for wild in ("*.py", "**", "?" * (len(name) - 3) + ".py", f"[{name[0]}]*.py", "[!x-z]*"):
            assert meet(pattern(name), pattern(wild))
            assert meet(pattern(wild), pattern(name))
            assert not meet(pattern(name + "x"), pattern(wild[:-1] + "yy"))


def test_hostile_patterns_are_compared_in_time() -> None:
    assert not meet(pattern("*a" * 120 + "x"), pattern("*a" * 120 + "y"))
    assert not meet(pattern("a" * 255), pattern("*a" * 120 + "x"))
    assert not meet(pattern("a" * 255), pattern("*a*a*a*x"))
    assert not meet(pattern("/".join("a" * 100)), pattern("**/a/**/a/**/x"))
    assert not meet(pattern("/".join(["**", "a"] * 200 + ["x"])), pattern("/".join(["**", "a"] * 200 + ["y"])))
