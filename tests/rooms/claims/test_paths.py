"""The one form of a path, whatever it was called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.kernel.problem import Invalid, Limited
from comity.kernel.scope import Actor
from comity.rooms.claims.paths import Base, Target, base_of, resolve, spelled
from comity.rooms.claims.patterns import meet

UNKNOWN = base_of(Actor("a", "s"))


def base(root: Path) -> Base:
    return base_of(Actor("a", "s", root=str(root)))


def only(place: Base, text: str, *, windows: bool = False) -> Target:
    (target,) = resolve(place, [text], windows)
    return target


@pytest.mark.parametrize(
    ("text", "path", "tree"),
    [
        ("src/a.py", "src/a.py", False),
        ("./src/./a.py", "src/a.py", False),
        ("  src//a.py\n", "src/a.py", False),
        ("docs/../src/a.py", "src/a.py", False),
        ("linked/a.py", "src/a.py", False),
        ("linked/../docs", "docs", True),
        ("linked.py", "src/a.py", False),
        ("linked", "src", True),
        ("src", "src", True),
        ("src/", "src", True),
        ("new.py", "new.py", False),
        ("new", "new", True),
        (".new", ".new", True),
        ("new.d/", "new.d", True),
        ("src/a.py/x", "src/a.py/x", True),
        (".", ".", True),
        ("src/..", ".", True),
        ("linked/**/*.py", "src/**/*.py", False),
        ("src/*", "src/*", False),
        ("src/*/", "src/*", True),
        ("src/*/../x.py", "src/x.py", False),
        ("*/tests", "*/tests", True),
        ("loop", "loop", True),
        ("u\u0308.txt", "\u00fc.txt", False),
        ("\\odd", "\\odd", True),
        ("a\tb", "a\tb", True),
        ("x" * 300, "x" * 300, True),
    ],
)
def test_one_form(root: Path, text: str, path: str, tree: bool) -> None:
    assert only(base(root), text) == (path, tree)


@pytest.mark.parametrize("text", ["src/a.py", "src", "new.py", ".", "linked/a.py", "src/**", "docs/../src"])
def test_absolute_paths_are_the_same(root: Path, text: str) -> None:
    assert only(base(root), f"{root}/{text}") == only(base(root), text)
    around = f"{root.parent}/./{root.name}/../{root.name}/{text}"
    assert only(base(root), around) == only(base(root), text)


@pytest.mark.parametrize("text", ["..", "../x", "src/../../x", "/etc/passwd", "out", "out/x", "/", "*/../../x", "//x"])
def test_what_lies_outside_is_refused(root: Path, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        resolve(base(root), [text])
    assert refused.value.reason == "path.outside"
    assert refused.value.data["root"] == str(root)


def test_a_root_behind_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    place = base(tmp_path / "alias")
    assert place.folder == str(root)
    assert only(place, f"{tmp_path}/alias/src/a.py") == ("src/a.py", False)


@pytest.mark.parametrize("name", ["x{a,b}", "[odd]", "st*r", "[odd]*{a,b}"])
def test_folders_with_wildcards_in_their_names(tmp_path: Path, name: str) -> None:
    """The checkout, whose name does not count, and a folder in it."""
    odd = tmp_path / name
    (odd / name).mkdir(parents=True)
    (odd / name / "q{a,b}.py").touch()
    place = base(odd)
    assert only(place, str(odd / "x.py")) == only(place, "x.py") == ("x.py", False)
    assert [target.path for target in resolve(place, [f"{odd}/{{x,y}}.py"])] == ["x.py", "y.py"]
    for text in (f"{name}/x.py", f"{odd}/{name}/x.py"):
        assert only(place, text) == (f"{name}/x.py", False)
    assert only(place, f"{name}/") == (name, True)
    assert only(place, f"{name}/q{{a,b}}.py") == (f"{name}/q{{a,b}}.py", False)
    spread = resolve(place, [f"{name}/{{x,y}}.py", f"{odd}/{{x{{1,2}},{name[:1]}}}"])
    assert [t.path for t in spread][:4] == [f"{name}/x.py", f"{name}/y.py", "x1", name[:1]]
    mine = only(place, f"{name}/x.py").pattern(place)
    assert meet(mine, only(place, f"{name}/x.py").pattern(place))
    assert not meet(mine, only(place, f"{name}/y.py").pattern(place))


def test_brackets_on_the_disk(root: Path) -> None:
    (root / "app/[...rest]").mkdir(parents=True)
    assert only(base(root), "app/[...rest]") == ("app/[...rest]", True)
    assert only(base(root), "app/[id].tsx") == ("app/[id].tsx", False)


def test_alternatives_become_paths(root: Path) -> None:
    found = [target.path for target in resolve(base(root), ["src/{a,b}.py", "{src,docs}", "src/b.py"])]
    assert found == ["src/a.py", "src/b.py", "src", "docs"]
    with pytest.raises(Limited):
        resolve(base(root), ["{a,b}" * 12])
    with pytest.raises(Limited):
        resolve(base(root), [str(number) for number in range(3000)])


def test_windows_spelling(root: Path) -> None:
    assert only(base(root), ".\\src\\a.py", windows=True) == ("src/a.py", False)
    assert only(UNKNOWN, "src\\*.py", windows=True) == ("src/*.py", False)
    assert spelled(base(root), "src\\a.py", windows=True) == (("src/a.py", False), False)
    assert spelled(base(root), "C:\\x", windows=True) == (None, False)


def test_case_counts_where_the_file_system_says_so(root: Path) -> None:
    place = base(root)
    assert place.fold is (root / "SRC").exists()
    blind = place._replace(fold=True)
    assert [target.path for target in resolve(blind, ["src/New.py", "SRC/new.PY"])] == ["src/New.py"]
    assert only(blind, str(root).upper() + "/x.py") == ("x.py", False)


def test_without_a_known_root_letters_decide() -> None:
    assert only(UNKNOWN, "./a/../b.py") == ("b.py", False)
    for text in ("/b.py", "../b.py"):
        with pytest.raises(Invalid):
            resolve(UNKNOWN, [text])


def test_a_linked_worktree_has_its_own_root(root: Path, tmp_path: Path) -> None:
    (tmp_path / "tree/src").mkdir(parents=True)
    place = base_of(Actor("a", "s", root=str(root), worktree=str(tmp_path / "tree")))
    assert only(place, f"{tmp_path}/tree/src/x.py") == ("src/x.py", False)
    with pytest.raises(Invalid) as refused:
        resolve(place, [f"{root}/src/x.py"])
    assert str(tmp_path / "tree") in refused.value.hint
    assert spelled(place, f"{root}/src/x.py") == (("src/x.py", False), True)


@pytest.mark.parametrize(
    ("text", "path"),
    [("./x.py", "x.py"), ("a//b.py/", "a/b.py"), ("../x", None), ("/elsewhere", None), (" x.py ", "x.py"), ("", ".")],
)
def test_what_others_mean(root: Path, text: str, path: str | None) -> None:
    target, elsewhere = spelled(base(root), text)
    assert (target.path if target else None, elsewhere) == (path, False)
    inside, _ = spelled(base(root), f"{root}/src/a.py")
    assert inside == ("src/a.py", False)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30))
def test_any_text_has_a_form_or_is_refused(text: str) -> None:
    place = Base("", "", os.getcwd(), fold=False)
    try:
        found = resolve(place, [text])
    except (Invalid, Limited):
        return
    for target in found:
        assert not target.path.startswith("/")
        assert "//" not in target.path
        assert ".." not in target.path.split("/")
