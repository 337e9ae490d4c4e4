"""The package `numbers` works whichever of the two modules is imported first (ADR-0001)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BOTH_FACES = """
import decimal, fractions, numbers
assert isinstance(decimal.Decimal(1), numbers.Number)
assert isinstance(fractions.Fraction(1, 2), numbers.Rational)
import django
django.setup()
from numbers.models import Number
from django.apps import apps
assert apps.get_model("numbers", "Number") is Number
print("both faces")
"""


@pytest.mark.parametrize(
    ("order", "prelude"),
    [
        ("the project first", "import numbers_project"),
        ("the standard library first", "import sys; sys.path.append(ROOT); import numbers_project"),
        ("our package before decimal", "import numbers, numbers_project"),
    ],
)
def test_the_package_works_in_each_import_order(order: str, prelude: str):
    library_first = "standard library" in order
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "numbers_project.settings"}
    # -P keeps the current folder off sys.path, so that the standard library is found first.
    command = [sys.executable, *(["-P"] if library_first else []), "-c"]
    program = f"ROOT = {str(ROOT)!r}\n{prelude}\n{BOTH_FACES}"
    done = subprocess.run(
        [*command, program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "both faces", done.stderr


@pytest.mark.parametrize("script", ["celery", "django-admin"])
def test_console_scripts_find_the_app(script: str):
    command = {
        "celery": ["-A", "numbers_project", "report"],
        "django-admin": ["check", "--tag", "models"],
    }[script]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "numbers_project.settings",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [str(Path(sys.executable).parent / script), *command],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
