"""The house of design.md, read from the imports: four floors, no circles, pure rules, one root."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {
    "events": {"events"},
    "infra": {"infra", "events"},
    "handlers": {"handlers", "infra", "events"},
    "projections": {"projections", "infra", "events"},
    "app": {"app", "handlers", "projections", "infra", "events"},
}
"""What each floor may see."""

ADAPTERS = {
    "infra.blobs.objects",
    "infra.blobs.s3",
    "infra.compute.local",
    "infra.compute.remote",
    "infra.embedded.nats",
    "infra.embedded.postgres",
    "infra.embedding.choice",
    "infra.embedding.lexical",
    "infra.embedding.minilm",
    "infra.embedding.remote",
    "infra.generation.anthropic",
    "infra.generation.ollama",
    "infra.mail.smtp",
    "infra.speech.sphinx",
    "infra.speech.whisper",
}
WIRING = ("app.main", "app.kernel", "app.models", "app.contexts", "app.wiring", "app.cli")
"""Who may name adapters."""

PURE = {"collections", "dataclasses", "datetime", "enum", "functools", "itertools", "msgspec", "typing"}
"""What rules may take from others, beside the type `UUID`."""
KERNEL = {"handlers.commands", "handlers.refusals"}
CLOCKS = {"now", "utcnow", "today", "fromtimestamp"}


def files(*floors: str) -> dict[str, Path]:
    """Modules by name."""
    return {_name(path): path for floor in floors for path in sorted((ROOT / floor).rglob("*.py"))}


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = files(*FLOORS)


@cache
def imports(path: Path) -> frozenset[str]:
    """The modules that a file imports, anywhere in it; `from package import module` names the module."""
    return frozenset(name for node in ast.walk(ast.parse(path.read_text())) for name in _imported(node))


def _imported(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (each.name for each in names)
        case ast.ImportFrom(module=str(module), names=names, level=0):
            for each in names:
                inner = f"{module}.{each.name}"
                yield inner if inner in MODULES else module
        case ast.ImportFrom():
            raise AssertionError("imports are written in full")


def _floor(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("floor", FLOORS)
def test_a_floor_sees_only_the_floors_below_it(floor: str) -> None:
    wrong = {
        name: seen
        for name, path in files(floor).items()
        if (seen := {each for each in imports(path) if _floor(each) in FLOORS.keys() - FLOORS[floor]})
    }
    assert not wrong


def test_files_make_no_circle() -> None:
    graph = {name: {each for each in imports(path) if each in MODULES} for name, path in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" → ".join(reversed(circle.args[1])))


def test_nothing_outside_tests_sees_the_tests() -> None:
    assert not [name for name, path in MODULES.items() if "tests" in map(_floor, imports(path))]


def _contexts() -> set[str]:
    kernel = {"envelope", "headers", "catalogue", "ids"}
    packages = {path.parent.name for path in (ROOT / "events").glob("*/__init__.py")}
    return packages | {path.stem for path in (ROOT / "events").glob("[a-z]*.py")} - kernel


@pytest.mark.parametrize("context", sorted(_contexts()))
def test_a_context_imports_nothing_but_events_of_another(context: str) -> None:
    others = _contexts() - {context}
    foreign = {f"{floor}.{other}" for floor in ("handlers", "projections", "app") for other in others}
    own = [name for name in MODULES if name.split(".")[1:2] == [context]]
    wrong = {
        name: seen
        for name in own
        if (seen := {each for each in imports(MODULES[name]) if ".".join(each.split(".")[:2]) in foreign})
    }
    assert own
    assert not wrong


def _rules() -> list[str]:
    """The rules of aggregates, and what some keep in files beside them: commands, states, the larger cases."""
    pure = (".decide", ".commands", ".state", ".answers", ".wishes")
    return [name for name in files("handlers") if name.endswith(pure) and name not in KERNEL]


@pytest.mark.parametrize("name", _rules())
def test_rules_know_no_outside_world_no_clock_and_no_chance(name: str) -> None:
    tree = ast.parse(MODULES[name].read_text())
    for module in imports(MODULES[name]):
        assert _floor(module) in PURE | {"events", "uuid"} or module in KERNEL or module in _rules(), module
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module="uuid", names=names):
                assert [each.name for each in names] == ["UUID"]
            case ast.ImportFrom(module="events.ids", names=names):
                assert "new_id" not in {each.name for each in names}
            case ast.Attribute(attr=attr):
                assert attr not in CLOCKS, f"line {node.lineno} looks at a clock"
            case ast.AsyncFunctionDef() | ast.Await() | ast.Global() | ast.Nonlocal():
                pytest.fail(f"line {node.lineno} is not pure")
            case ast.Call(func=ast.Name(id="open" | "print" | "input" | "exec" | "eval" | "__import__")):
                pytest.fail(f"line {node.lineno} reaches outside")


def test_every_context_has_rules() -> None:
    assert {name.split(".")[1] for name in _rules()} == _contexts()


def test_only_the_root_names_adapters() -> None:
    assert MODULES.keys() >= ADAPTERS
    wrong = {
        name: seen
        for name, path in files("app", "handlers", "projections").items()
        if not name.startswith(WIRING) and (seen := imports(path) & ADAPTERS)
    }
    assert not wrong


def test_nothing_happens_when_a_module_is_imported() -> None:
    """No call that waits or connects stands at the outermost level of a file."""
    busy = {"connect", "run", "open", "create_pool", "Popen", "urlopen", "sleep"}
    for name, path in MODULES.items():
        for statement in ast.parse(path.read_text()).body:
            if isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign):
                calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
                called = {getattr(node.func, "attr", getattr(node.func, "id", "")) for node in calls}
                assert not called & busy, f"{name}, line {statement.lineno}"
