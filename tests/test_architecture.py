"""Who may import whom (design: an app imports only what stands to its left)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT: dict[str, set[str]] = {
    "lib": set(),
    "telephony": {"lib"},
    "workspaces": {"lib"},
    "wallet": {"lib", "workspaces"},
    "compliance": {"lib", "workspaces"},
    "numbers": {"lib", "telephony", "workspaces", "wallet"},
    "interactions": {"lib", "telephony", "workspaces", "wallet", "compliance", "numbers"},
}
PROJECT = {*MAY_IMPORT, "numbers_project", "embedded"}


def sources(app: str) -> list[Path]:
    return [
        path
        for path in sorted((ROOT / app).rglob("*.py"))
        if not {"tests", "migrations"} & set(path.parts)
    ]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("app", MAY_IMPORT)
def test_an_app_imports_only_what_stands_to_its_left(app: str):
    assert sources(app), f"{app} has no sources: the test would pass without looking"
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources(app)
        for module in imports(path)
        if (top := module.split(".")[0]) in PROJECT and top not in MAY_IMPORT[app] | {app}
    ]
    assert wrong == []


def test_twilio_is_imported_inside_telephony_only():
    users = {
        path.relative_to(ROOT).parts[0]
        for app in PROJECT
        for path in sources(app)
        if any(module.split(".")[0] == "twilio" for module in imports(path))
    }
    assert users == {"telephony"}


def test_the_simulator_knows_neither_django_nor_the_adapter():
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources("telephony/simulator")
        if path.name != "fixtures.py"
        for module in imports(path)
        if module.split(".")[0] in {"django", "twilio"}
        or (module.startswith("telephony.") and not module.startswith("telephony.simulator"))
    ]
    assert wrong == []
