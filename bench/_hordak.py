"""django-hordak's transfer, in a process and an environment of its own.

It is no dependency of the product, and its settings are not ours. The child reads a count a
line and writes how many transfers a second it reached.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

if __name__ != "__main__":
    from bench.harness import NotHere

PACKAGE = "django-hordak==2.0.0"
DATABASE = "bench_hordak"
SETTINGS = "DESK_BENCH_DATABASE"


@contextmanager
def transfers(database: dict[str, object], home: Path) -> Iterator["Child"]:
    """``database``: as in Django's settings; ``home``: where its packages are kept."""
    python = _installed(home)
    # -I: neither this folder nor the project's ``numbers`` is in the way of the library.
    process = subprocess.Popen(
        [python, "-I", __file__], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=os.environ | {SETTINGS: json.dumps(database)},
    )  # fmt: skip
    try:
        yield Child(process)
    finally:
        process.stdin.close()  # type: ignore[union-attr]
        process.wait(timeout=30)


class Child:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def per_second(self, count: int) -> float:
        self.process.stdin.write(f"{count}\n")  # type: ignore[union-attr]
        self.process.stdin.flush()  # type: ignore[union-attr]
        return float(self.process.stdout.readline())  # type: ignore[union-attr]


def _installed(home: Path) -> str:
    python = home / "bin" / "python"
    done = home / PACKAGE
    if not done.exists():
        packages = [PACKAGE, *(f"{name}=={version(name)}" for name in ("django", "psycopg-binary",
                                                                      "psycopg"))]  # fmt: skip
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        for command in ([sys.executable, "-m", "venv", str(home)], [*pip, *packages]):
            if subprocess.run(command, stdout=sys.stderr).returncode:
                raise NotHere(f"{PACKAGE} cannot be installed here")
        done.touch()
    return str(python)


def _configure() -> None:
    import django
    from django.conf import settings

    settings.configure(
        DATABASES={"default": json.loads(os.environ[SETTINGS])}, USE_TZ=True, SECRET_KEY="bench",
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField", DEFAULT_CURRENCY="USD",
        CURRENCIES=["USD"],
    )  # fmt: skip
    django.setup()


def _child() -> None:
    _configure()
    from django.core.management import call_command
    from django.db import transaction
    from hordak.models import Account, AccountType
    from moneyed import Money

    call_command("migrate", interactive=False, verbosity=0)
    bank, sales = [
        Account.objects.create(name=name, code=code, type=kind, currencies=["USD"])
        for name, code, kind in (("Wallet", "1", AccountType.asset),
                                 ("Usage", "2", AccountType.expense))
    ]  # fmt: skip
    cent = Money("0.01", "USD")
    for line in sys.stdin:
        began = time.perf_counter()
        for _ in range(int(line)):
            with transaction.atomic():
                bank.transfer_to(sales, cent)
        print(int(line) / (time.perf_counter() - began), flush=True)


if __name__ == "__main__":
    _child()
