"""Destructive lines, and the forms in which a shell line can hold another one: each with each is a line to try."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator

CORES = (
    "rm src/a.py",
    "rm -rf s*",
    "git checkout -- src",
    "git checkout src/a.py",
    "git reset -q --hard",
    "git stash -q",
    "git clean -fdq",
    "git -C \"$PWD\" restore ':/*.py'",
    ": > src/a.py",
    "echo x | tee src/a.py 'my notes.txt'",
    "sed -i s/A/B/ 'my notes.txt'",
    "cp docs/x.md src/a.py",
    "mv src lib2",
    "find src -name 'a*' -delete",
    "git ls-files -m src | xargs rm -f",
    'for f in src/*.py; do : > "$f"; done',
    "cd src && git checkout -q .",
    'f=src/a.py; rm "$f"',
    "git diff -- src | git apply -R",
    'while read -r f; do rm "$f"; done < @S@/list.txt',
    "python3 -c \"open('src/a.py', 'w').write('x')\"",
    "patch -sp1 < @S@/p.diff",
    "cd @S@; git -C ../r undo",
)

# ``%s`` is the line itself, ``%q`` the line as one quoted word.
FORMS = (
    "%s",
    "(%s)",
    "{ %s; }",
    "! { %s; }",
    "time (%s)",
    "if true; then %s; fi",
    "if false; then :; else %s; fi",
    "for i in 1; do %s; done",
    "while :; do %s; break; done",
    "until (%s); do :; done",
    "case x in y) ;; *) %s ;; esac",
    "select i in a; do (%s); break; done <<< 1",
    "go() { %s; }; go",
    "function go { %s; }; go",
    "go() (⏎  %s⏎)⏎go",
    "a() { b; }; b() { %s; }; a",
    "true && { %s; }",
    "false || { %s; }",
    "[ -d src ] && { %s; }",
    "[[ -d src ]] && { %s; }",
    "[ -d nowhere ] || { %s; }",
    "{ %s; } & wait",
    "{ %s; } 2> /dev/null | cat",
    "coproc { %s; }; wait",
    "x=$(%s)",
    'echo "$(%s)"',
    'echo "a $(echo "b $(%s)")"',
    "cat <(%s); sleep 0.1",
    "cat <<E⏎$(%s)⏎E",
    "# git status⏎%s",
    "%s # git status",
    "set -e⏎%s",
    "cd docs && cd .. && %s",
    "cd docs; cd - > /dev/null; %s",
    "pushd docs > /dev/null; popd > /dev/null; %s",
    "(cd docs && cd .. && %s)",
    "cd docs && (cd .. && %s)",
    "A=1 B='2 3'; export A; %s",
    "bash -c %q",
    "sh -c 'echo hi; '%q",
    "bash -euo pipefail -c %q",
    "bash <<< %q",
    "bash <<'E'⏎%s⏎E",
    "bash -s <<-'E'⏎	%s⏎	E",
    "echo %q | bash",
    "printf '%%s\\n' %q | bash -s",
    "cat <<'E' | bash⏎%s⏎E",
    "bash <(echo %q)",
    "source <(echo %q)",
    ". /dev/stdin <<< %q",
    "eval %q",
    'c=%q; eval "$c"',
    'c=%q; bash -c "$c"',
    'c=("$PWD" %q); eval "${c[1]}"',
    'for c in %q; do eval "$c"; done',
    'set -- %q; eval "$1"',
    'read -r c <<< %q; eval "$c"',
    'while IFS= read -r c; do eval "$c"; done <<< %q',
    'mapfile -t c <<< %q; eval "${c[0]}"',
    'printf -v c %%s %q; eval "$c"',
    'c=${NONE_SUCH:-%q}; eval "$c"',
    'run() { eval "$1"; }; run %q',
    'run() { bash -c "$*"; }; run %q',
    "bash -c 'eval \"$1\"' _ %q",
    "bash -c 'bash -c \"$0\"' %q",
    "env bash -c %q",
    "env -u NONE_SUCH A=1 bash -c %q",
    "timeout 5 bash -c %q",
    "nohup bash -c %q 2> /dev/null",
    "nice -n 2 bash -c %q",
    "command bash -c %q",
    "exec bash -c %q",
    "setsid -w bash -c %q",
    "script -qec %q /dev/null",
    "flock @S@/lock -c %q",
    "trap %q EXIT",
    "echo %q > @S@/x.sh; bash @S@/x.sh",
    "cat > @S@/x.sh <<'E' && . @S@/x.sh⏎%s⏎E",
    "find . -maxdepth 0 -exec bash -c %q ';'",
    "printf '%%s\\0' %q | xargs -0 -n1 bash -c",
    "printf '%%s\\0' %q | xargs -0 -I{} bash -c {}",
    "git -c alias.zz='!'%q zz",
    "git config alias.zz '!'%q; git zz",
    "git rebase -q -x %q main; true",
)


def combined() -> Iterator[str]:
    """Every core in every form."""
    for place, core in enumerate(CORES):
        for at, form in enumerate(FORMS):
            quote = (shlex.quote, _in_dollars, _escaped)[(place + at) % 3]
            yield _filled(form, core, quote)


def _filled(form: str, core: str, quote: Callable[[str], str]) -> str:
    return "%".join(part.replace("%q", quote(core)).replace("%s", core) for part in form.split("%%"))


def _in_dollars(text: str) -> str:
    return "$'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _escaped(text: str) -> str:
    special = {'"': '\\"', "$": "\\$", "`": "\\`", "\\": "\\\\"}
    return '"' + "".join(special.get(char, char) for char in text) + '"'
