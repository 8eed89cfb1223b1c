"""The house rules, as far as a machine can tell. Each failure says where, which rule, and what to do.

Import directions between modules are contracts in `.importlinter`; this file runs them and adds what a
contract cannot say. An exception to a rule is a line in a table here, with its reason.
"""

import ast
import re
import stat
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from importlib import import_module

import pytest
from packaging.requirements import Requirement

from comity.kernel import problem
from comity.kernel.registry import AnyOp, Registry, operations
from comity.kernel.validate import validate
from comity.rooms import OPERATIONS
from tests.own_files import PYTHON_ROOTS, ROOT, Source, project_files, sources, under

FILE_LINES = {"src": 400, "": 500}
FUNCTION_LINES = 60

VAGUE_NAMES = {
    "util",
    "utils",
    "common",
    "helper",
    "helpers",
    "manager",
    "managers",
    "service",
    "services",
    "misc",
}

# Imports that may stand in a function: (file, what is imported, why).
HIDDEN_IMPORTS = (
    (
        "src/comity/kernel/registry.py",
        "import_module",
        "a room is imported when one of its operations is first called",
    ),
    ("src/comity/store/bell.py", "binascii", "a look that finds nothing rings for nobody"),
    ("src/comity/store/log_pairing.py", "fcntl", "only where something is to be written down"),
    ("src/comity/rooms/edits/edit_guard.py", "comity.rooms.channels.deliveries", "only for hosts that cannot warn"),
    ("src/comity/rooms/claims/*", "comity.rooms.claims.serving", "nobody stands in line: a hook does without it"),
    ("src/comity/rooms/claims/*", "comity.rooms.claims.line", "nobody stands in line: a hook does without it"),
    ("src/comity/rooms/edits/edit_guard.py", "comity.rooms.claims.line", "nobody stands in line"),
    ("bench/line.py", "comity", "only the agents that it starts open a workspace"),
    ("src/comity/rooms/edits/**", "comity.rooms.edits.*", "an agent that is alone does without"),
    ("src/comity/rooms/edits/line_changes.py", "comity.shell.effects", "after most commands no line is read"),
    ("src/comity/shell/running.py", "import_module", "a line loads the rules of the programs that are in it"),
    ("src/comity/rooms/edits/**", "comity.system.git*", "git is run only where something has changed"),
    ("src/comity/system/changed_files.py", "comity.system.git_look", "what is quiet is seen by hand"),
    (
        "src/comity/system/git_recorded.py",
        "comity.system.git_look",
        "HEAD is read by hand, and stays for most commands",
    ),
    ("src/comity/system/copies.py", "hashlib", "only where something is kept"),
    ("src/comity/doors/hook/projects.py", "comity.rooms.edits.line_changes", "only for lines that lead elsewhere"),
    ("src/comity/store/bell.py", "comity.store.doorbell", "ctypes is for calls that wait; a hook never does"),
    ("src/comity/hosts/contract.py", "import_module", "a hook loads the module of its own host only"),
    ("src/comity/hosts/contract.py", "comity.hosts.foreign_tools", "only for tools that no host brings itself"),
    ("src/comity/hosts/patch.py", "comity.*", "only for a tool that is given a patch"),
    ("src/comity/doors/hook/turn.py", "comity.doors.hook.strict", "only for very long lines in a strict project"),
    ("src/comity/doors/**", "comity.spoiled_settings", "only where a setting is spoiled"),
    ("src/comity/doors/stdio/serve.py", "comity.doors.stdio.first_answer*", "with the first answer, not at the start"),
    ("src/comity/doors/stdio/serve.py", "comity.doors.stdio.more_hooks", "with the first answer, not at the start"),
    ("src/comity/doors/stdio/more_hooks.py", "comity.hosts.hook_upgrade", "only where a version takes more hooks"),
    ("src/comity/hosts/heard.py", "import_module", "a server loads the module of its own host only"),
    ("src/comity/doors/stdio/first_answer.py", "import_module", "only for a session without hooks"),
    ("src/comity/doors/stdio/first_answer.py", "comity.hosts.hookless", "only for a session without hooks"),
    ("src/comity/hosts/session.py", "import_module", "a server loads the module of a host whose keys a call has"),
    ("src/comity/hosts/codex.py", "tomllib", "only the doctor asks whether Codex trusts a project"),
    ("src/comity/doors/hook/run.py", "comity.doors.hook.capture", "only while payloads are recorded"),
    ("src/comity/doors/hook/run.py", "comity.doors.hook.strict", "only when a strict guard cannot look"),
    ("src/comity/doors/hook/turn.py", "comity.doors.hook.waking", "only beside an idle session"),
    ("src/comity/doors/hook/answering.py", "comity.doors.hook.served", "a server's start must not pay for hooks"),
    ("src/comity/app.py", "comity.doors.hook.answering", "a session's start must not pay for hooks"),
    ("src/comity/launcher/asking.py", "comity.__main__", "only a hook that no server answers loads Comity"),
    ("src/comity/launcher/asking.py", "site", "only where apsw does not lie beside Comity"),
    ("src/comity/doors/stdio/serve.py", "comity.doors.stdio.outside.Outside", "only where there is no project"),
    ("src/comity/doors/hook/turn.py", "import_module", "a hook that speaks loads the words of its dialect"),
    ("src/comity/doors/hook/waking.py", "import_module", "only the host's own way to wake it"),
    ("src/comity/rooms/agents/heirs.py", "import_module", "rooms above it, only when an agent moves"),
    ("src/comity/opening.py", "comity.ignored", "whoever finds all as it was noted does without"),
    ("src/comity/opening.py", "comity.system.checkouts", "whoever finds all as it was noted does without"),
    ("src/comity/rooms/turns/brief.py", "comity.system.checkouts", "only where somebody has work in progress"),
    ("src/comity/rooms/*", "comity.rooms.agents.doubles", "hardly ever is a session in two processes"),
    ("src/comity/rooms/*", "comity.rooms.channels.doubled", "hardly ever is a session in two processes"),
    ("src/comity/opening.py", "comity.rooms.lifecycle.pause", "only while the workspace is paused"),
    ("src/comity/workspace.py", "comity.rooms.replies.idempotency*", "only for a call under a key"),
    ("tests/test_house.py", "import_module", "it looks into every room, whatever its name"),
    ("tests/test_api.py", "import_module", "it looks into every room that the written types name"),
    ("tests/prefork/loaded.py", "import_module", "it loads every module there is, for the programs that it forks"),
    ("src/comity/__init__.py", "import_module", "importing one module of the package must not load the others"),
    ("src/comity/rooms/claims/patterns.py", "unicodedata", "most paths are ASCII, and a hook does without it"),
    ("src/comity/kernel/lookalikes.py", "unicodedata", "most names are ASCII, and a hook does without it"),
    ("src/comity/settings.py", "tomllib", "8 ms that only projects with a TOML file pay"),
    ("src/comity/settings.py", "comity.trust", "hashing, where a file of the tree asks for what needs an agreement"),
    ("src/comity/project.py", "comity.system.git_index", "a hook asks git only of a database outside the project"),
    ("src/comity/project.py", "comity.system.git", "only for an index whose form is not read by hand"),
    ("bench/__main__.py", "import_module", "a benchmark must not load what the others need"),
    ("src/comity/app.py", "comity.loops.job_runner", "a session's start must not pay for what runs jobs"),
    ("src/comity/rooms/turns/brief.py", "comity.rooms.tasks.model", "only where a task has no worktree of its own"),
    ("src/comity/app.py", "comity.loops.radar", "only where there is a second checkout"),
    ("src/comity/app.py", "comity.loops.mail", "its first look comes minutes after a start"),
    ("src/comity/__main__.py", "comity.*", "a command loads only its own door"),
    (
        "src/comity/doors/stdio/serve.py",
        "comity.dialects.masc.dialect*",
        "only a server with those tools pays for them",
    ),
    ("src/comity/doors/stdio/serve.py", "comity.command_line*", "most hosts start a server without options"),
    (
        "src/comity/doors/http/serve.py",
        "comity.doors.http.startup_shutdown.ServerRun",
        "its parts are an extra, and slow to load",
    ),
    (
        "src/comity/doors/http/startup_shutdown.py",
        "import_module",
        "the routes load while the server answers that it starts",
    ),
    ("src/comity/demo/run.py", "comity.demo.performance*", "it loads the MCP client, an extra and slow to load"),
    ("src/comity/doors/**", "cyclopts*", "a door's heavy dependency, imported where the door opens"),
    ("src/comity/doors/**", "rich*", "a door's heavy dependency, imported where the door opens"),
    ("src/comity/hosts/**", "tomlkit*", "a door's heavy dependency, imported where the door opens"),
)

# Who writes JSON by itself, and why; everybody else takes a function of kernel/text.py, one for each purpose.
JSON_WRITERS = {
    "src/comity/kernel/text.py": "columns, wires, log lines, files of our own, and values that people read",
    "src/comity/mcp/wire.py": "messages of MCP: nothing that JSON lacks, and nothing that nobody sees",
    "src/comity/server/encoding.py": "answers over HTTP, a third of what a read costs",
    "src/comity/doors/cli/screen.py": "documents on a screen, which may not be able to show every letter",
    "src/comity/rooms/replies/idempotency.py": "a digest of arguments, whatever their order",
    "src/comity/hosts/contract.py": "what hosts hear from hooks, in ASCII whatever their locale is",
    "src/comity/hosts/jsonc_edit.py": "values in files of hosts, as their users would write them",
    "src/comity/hosts/opencode.py": "a text inside a program of JavaScript",
    "src/comity/testing/*": "the wires of model providers",
}

# What importing a module may not load: it costs every hook and every stdio server its start.
BOTTOM = ("msgspec", "inspect", "dataclasses", "asyncio", "logging", "uuid", "ctypes")
STDIO = (*BOTTOM, "cyclopts", "rich", "mcp", "tomlkit")
HOOK = (*STDIO, "typing", "subprocess", "tempfile", "comity.rooms.tasks", "comity.rooms.goals", "comity.rooms.memory")
LIGHT = {
    "comity.kernel.call": BOTTOM,
    "comity.store.sqlite": BOTTOM,
    "comity.rooms.agents.ops": BOTTOM,
    "comity.rooms.channels.ops": BOTTOM,
    "comity.doors.hook.run": HOOK,
    "comity.dialects.macp.tools": HOOK,
    "comity.dialects.masc.tools": HOOK,
    "comity.rooms.turns.ops": HOOK,
    "comity.rooms.edits.ops": HOOK,
    "comity.doors.stdio.program": STDIO,
    "comity.doors.stdio.serve": (*STDIO, "comity.dialects.masc.dialect"),
    "comity.doors.bridge.bridge": STDIO,
}

# Names of classes that may stand for more than two things, and why.
CROWDED_NAMES = {"Wanted": "in rooms/claims, memory and vault; to be renamed with issues 15 and 16"}

# Text that may stand in no file. Every "~" is dropped: it keeps this table from finding itself.
FORBIDDEN_TEXT = {
    "a path of one machine; use one relative to the project, or a temporary one": (
        r"(?<![\w.<>~])/(work~|root~)/|/tmp/~(notes|i\d)\b|/home~/[a-z]+/"
    ),
    "a package registry's host; name the registry, not its address": (
        r"pypi~\.org|python~hosted|registry\.npm~js|registry\.yarn~pkg|deb\.~debian|crates~\.io"
    ),
    "a working note that readers do not have; say it in the project's own docs": (
        r"shared/~(DESIGN|reference)|DESIGN~(\.md| section| \d)|ARCH~\.md|stack~\.md"
    ),
}


def verdict(rule: str, broken: Iterable[str]) -> None:
    """Fail with the rule and everything that breaks it."""
    found = sorted(set(broken))
    if found:
        pytest.fail("\n  ".join([f"{rule} ({len(found)} broken)", *found]), pytrace=False)


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in source.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def imported(node: ast.AST) -> list[str]:
    """The modules that a statement imports ([] for any other node)."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in {"__import__", "import_module"}:
            argument = node.args[0] if node.args else None
            constant = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            return [str(argument.value) if constant and isinstance(argument, ast.Constant) else "import_module"]
    return []


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring: explaining is free."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def test_files_are_small() -> None:
    def broken() -> Iterator[str]:
        for name in project_files():
            if not name.endswith((".py", ".sql")) or name.split("/")[0] not in PYTHON_ROOTS:
                continue
            limit = FILE_LINES.get(name.split("/")[0], FILE_LINES[""])
            lines = len((ROOT / name).read_text(encoding="utf-8").splitlines())
            if lines > limit:
                yield f"{name}: {lines} lines, at most {limit}; split it by what it holds"

    verdict("Files are small", broken())


def test_functions_are_small() -> None:
    verdict(
        f"Functions have at most {FUNCTION_LINES} lines",
        (
            f"{source.at(function)}: {function.name} has {code_lines(function)}; take a named part out"
            for source in sources()
            for function in functions(source)
            if code_lines(function) > FUNCTION_LINES
        ),
    )


def test_imports_stand_at_the_top() -> None:
    def allowed(name: str, module: str) -> bool:
        return any(fnmatch(name, file) and fnmatch(module, what) for file, what, _ in HIDDEN_IMPORTS)

    verdict(
        "No import hides in a function (HIDDEN_IMPORTS in tests/test_house.py lists the exceptions)",
        (
            f"{source.at(node)}: {module} in {function.name}(); import it at the top or move the code down"
            for source in sources()
            for function in functions(source)
            for node in ast.walk(function)
            for module in imported(node)
            if not allowed(source.name, module)
        ),
    )


def test_nothing_is_imported_for_type_checking_only() -> None:
    verdict(
        "Nothing stands under TYPE_CHECKING",
        (
            f"{source.at(node)}: import it for real, or move the type to a lower floor"
            for source in sources()
            for node in source.nodes
            if (isinstance(node, ast.Name) and node.id == "TYPE_CHECKING")
            or (isinstance(node, ast.Attribute) and node.attr == "TYPE_CHECKING")
        ),
    )


def test_modules_are_named_after_what_they_hold() -> None:
    def vague(part: str) -> bool:
        return not VAGUE_NAMES.isdisjoint(part.removesuffix(".py").lower().split("_"))

    verdict(
        "No module is called utils, common, helpers, manager or service",
        (
            f"{source.name}: name it after what it holds"
            for source in sources()
            if any(vague(part) for part in source.name.split("/"))
        ),
    )


def test_a_class_name_stands_for_two_things_at_most() -> None:
    named: dict[str, list[str]] = {}
    for source in under("src"):
        for node in source.nodes:
            if isinstance(node, ast.ClassDef):
                named.setdefault(node.name, []).append(source.at(node))
    many = {name: places for name, places in named.items() if len(places) > 2}
    broken = [f"{name}: {', '.join(many[name])}; name each after what it holds" for name in many.keys() - CROWDED_NAMES]
    broken += [f"{name}: CROWDED_NAMES need not name it any more" for name in CROWDED_NAMES.keys() - many]
    verdict("A class name stands for at most two things", broken)


def test_tests_do_not_sleep() -> None:
    sleeping = re.compile(r"\b(?:time|asyncio|anyio|trio)\.sleep\(")
    advice = "use the fake clock, wait for the fact itself (an event, a line, a process's end) with a deadline"

    def broken() -> Iterator[str]:
        for source in under("tests"):
            for node in source.nodes:
                if isinstance(node, ast.Call) and sleeping.match(ast.unparse(node.func) + "("):
                    yield f"{source.at(node)}: {advice}"
                elif isinstance(node, ast.Constant) and isinstance(node.value, str) and sleeping.search(node.value):
                    yield f"{source.at(node)}: a program in a string sleeps; {advice}"
                elif any(re.fullmatch(r"(?:time|asyncio|anyio|trio)\.sleep", name) for name in imported(node)):
                    yield f"{source.at(node)}: {advice}"

    verdict("No test sleeps", broken())


@pytest.mark.parametrize(
    ("rule", "pattern", "advice"),
    [
        (
            "No test mocks own classes",
            r"(?:unittest\.)?mock(?:\..*)?|unittest\.mock.*|pytest_mock.*",
            "use comity.testing",
        ),
        (
            "Only apsw opens SQLite files",
            r"sqlite3(?:\..*)?|pysqlite.*",
            "two SQLite libraries break each other's locks",
        ),
    ],
    ids=["mock", "sqlite3"],
)
def test_nobody_imports(rule: str, pattern: str, advice: str) -> None:
    verdict(
        rule,
        (
            f"{source.at(node)}: imports {module}; {advice}"
            for source in sources()
            for node in source.nodes
            for module in imported(node)
            if re.fullmatch(pattern, module)
        ),
    )


def test_json_is_written_in_one_place_for_each_purpose() -> None:
    writes = re.compile(r"\bjson\.(dumps?|JSONEncoder)\(|\bimport (msgspec|orjson)|\bfrom json import")
    writers = [source.name for source in under("src") if writes.search((ROOT / source.name).read_text("utf-8"))]
    advice = "take compact, lenient, readable, json_line or document of kernel/text.py, or add it to JSON_WRITERS"
    broken = [f"{name}: {advice}" for name in writers if not any(fnmatch(name, file) for file in JSON_WRITERS)]
    broken += [f"{file}: writes none" for file in JSON_WRITERS if not any(fnmatch(name, file) for name in writers)]
    verdict("JSON is written in one place for each purpose", broken)


@pytest.mark.parametrize("rule", FORBIDDEN_TEXT, ids=["machine-path", "registry-host", "working-note"])
def test_no_file_contains(rule: str) -> None:
    pattern = re.compile(FORBIDDEN_TEXT[rule].replace("~", ""))

    def broken() -> Iterator[str]:
        for name in project_files():
            try:
                text = (ROOT / name).read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            for found in pattern.finditer(text):
                yield f"{name}:{text.count(chr(10), 0, found.start()) + 1}: {found.group()!r}"

    verdict(f"No file contains {rule}", broken())


def test_import_contracts_hold() -> None:
    program = "import sys; sys.path.insert(0, 'src'); from importlinter import cli; sys.exit(cli.lint_imports())"
    checked = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    if checked.returncode:
        report = (checked.stdout + checked.stderr).strip()
        pytest.fail(f"Import contracts of .importlinter do not hold\n{report}", pytrace=False)


# Run without site-packages' own start-up code, so that only what the module itself asks for is seen.
WATCH = """
import sys
sys.path[:0] = {paths!r}
heavy = set({heavy!r}) - set(sys.modules)
loaded = {{}}
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in heavy and name not in loaded:
            frame = sys._getframe(1)
            while frame.f_code.co_filename.startswith("<frozen"):
                frame = frame.f_back
            loaded[name] = frame.f_globals["__name__"]
sys.meta_path.insert(0, Watch())
import {module}
for name in sorted(heavy & set(sys.modules)):
    print(name, "asked for by", loaded.get(name, "?"))
"""


@pytest.mark.parametrize("module", LIGHT)
def test_imports_are_light(module: str) -> None:
    paths = [str(ROOT / "src"), sysconfig.get_path("platlib"), sysconfig.get_path("purelib")]
    program = WATCH.format(paths=paths, heavy=LIGHT[module], module=module)
    seen = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert seen.returncode == 0, f"import {module} fails:\n{seen.stderr}"
    verdict(f"import {module} stays light", (f"{module} loads {line}" for line in seen.stdout.splitlines()))


def every_op() -> list[AnyOp]:
    return list(Registry(OPERATIONS))


def test_the_registry_knows_every_operation() -> None:
    modules = (s.name.removeprefix("src/").removesuffix(".py").replace("/", ".") for s in under("src/comity/rooms"))
    holding = {module: set(operations(import_module(module))) for module in modules}
    names = [name for listed in OPERATIONS.values() for name in listed]
    broken = [f"{name}: listed twice" for name in names if names.count(name) > 1]
    for module in sorted({*OPERATIONS, *(module for module, held in holding.items() if held)}):
        listed, held = set(OPERATIONS.get(module, ())), holding.get(module, set())
        broken += [f"{module}: holds {name}, which OPERATIONS lacks" for name in held - listed]
        broken += [f"{module}: lacks {name}, which OPERATIONS names" for name in listed - held]
    verdict("comity/rooms/operations.py names every operation and its module; run `make generate`", broken)


def test_every_operation_is_explained() -> None:
    def broken() -> Iterator[str]:
        for op in every_op():
            first, _, rest = op.doc.partition("\n")
            if not re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", op.name):
                yield f"{op.name}: an operation is called noun.verb"
            if not re.fullmatch(r"[A-Z].{9,99}[.?!]", first):
                yield f"{op.name}: the docstring's first line is one sentence of at most 100 characters, not {first!r}"
            if rest and not rest.startswith("\n"):
                yield f"{op.name}: leave a blank line after the docstring's first line"

    verdict("Every operation says what it does", broken())


def test_every_operation_has_a_valid_example() -> None:
    def broken() -> Iterator[str]:
        for op in every_op():
            try:
                validate(op, op.example)
            except problem.Problem as refused:
                yield f"{op.name}: {refused} Give @op an example that works."

    verdict("Every operation has an example that its validator takes", broken())


def test_problems_have_a_stable_reason_and_a_hint() -> None:
    kinds = {kind.__name__ for kind in problem.Problem.__subclasses__() if kind is not problem.Internal}

    def broken() -> Iterator[str]:
        for source in under("src"):
            for node in source.nodes:
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds):
                    continue
                reason = node.args[0] if node.args else None
                fixed = reason.value if isinstance(reason, ast.Constant) else None
                if isinstance(fixed, str) and not re.fullmatch(r"[a-z_]+\.[a-z_]+|MACP_ERR_[A-Z_]+", fixed):
                    yield f"{source.at(node)}: {fixed!r} is no reason; call it noun.why, words joined by _"
                if len(node.args) < 3 and not any(word.arg in {"hint", None} for word in node.keywords):
                    yield f"{source.at(node)}: say in a hint what the caller should do next"

    verdict("Problems have a stable reason and a hint", broken())


def test_the_lock_file_has_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pinned = dict(
        re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", (ROOT / "requirements/dev.lock").read_text("utf-8"), re.MULTILINE)
    )
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    wanted += [line for extra in project["project"]["optional-dependencies"].values() for line in extra]

    def broken() -> Iterator[str]:
        for line in wanted:
            need = Requirement(line)
            have = pinned.get(need.name)
            if need.name != "comity" and (have is None or have not in need.specifier):
                yield f"{line}: locked is {have}; run `make lock`"

    verdict("requirements/dev.lock has every dependency", broken())


def test_what_the_readme_tells_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    broken = [
        f"{name}: make {target} is not in the Makefile"
        for name in ("README.md", "AGENTS.md", ".ci/run")
        for target in re.findall(r"\bmake ([a-z]+)\b(?=[`\n ]*(?:#|`|\n|<|$))", (ROOT / name).read_text("utf-8"))
        if target not in targets
    ]
    if not (ROOT / ".ci/run").stat().st_mode & stat.S_IXUSR:
        broken.append(".ci/run: not executable; chmod +x")
    verdict("Commands that are told exist", broken)
