"""The settings as a real installation has them, read in a process of its own."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.environment import for_production

ROOT = Path(__file__).resolve().parent.parent
ASK = """
import json, django
from django.conf import settings
django.setup()
print(json.dumps({name: getattr(settings, name) for name in %r}, default=str))
"""


def read(*names: str, **changes: str | None) -> dict:
    env = for_production(os.environ) | {
        "DJANGO_SETTINGS_MODULE": "numbers_project.settings", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    for name, value in changes.items():
        env.pop(name, None)
        if value is not None:
            env[name] = value
    command = [sys.executable, "-c", ASK % (names,)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def test_cookies_are_bound_to_this_host_and_to_https():
    names = ("SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY",
             "SESSION_COOKIE_PATH", "SESSION_COOKIE_DOMAIN", "CSRF_COOKIE_NAME",
             "CSRF_COOKIE_SECURE", "CSRF_COOKIE_PATH", "CSRF_COOKIE_DOMAIN",
             "SECURE_HSTS_SECONDS", "SECURE_SSL_REDIRECT",
             "SUPPORT_NEEDS_SECOND_FACTOR")  # fmt: skip
    assert read(*names) == {
        "SESSION_COOKIE_NAME": "__Host-session",
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        # What the browser asks of a cookie with this prefix.
        "SESSION_COOKIE_PATH": "/",
        "SESSION_COOKIE_DOMAIN": None,
        "CSRF_COOKIE_NAME": "__Host-csrf",
        "CSRF_COOKIE_SECURE": True,
        "CSRF_COOKIE_PATH": "/",
        "CSRF_COOKIE_DOMAIN": None,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SECURE_SSL_REDIRECT": True,
        "SUPPORT_NEEDS_SECOND_FACTOR": True,
    }


def test_a_secret_may_stand_in_a_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("from-a-file-" + "x" * 50)
    found = read("SECRET_KEY", SECRET_KEY=None, SECRET_KEY_FILE=str(secret))
    assert found["SECRET_KEY"].startswith("from-a-file-")


def secrets_of_the_example() -> list[str]:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    return re.findall(r"^(\w+(?:SECRET|TOKEN|_KEY|SECONDARY))=", example, re.MULTILINE)


def test_each_secret_may_stand_in_a_file_and_is_kept_out_of_the_log(tmp_path):
    names, files = secrets_of_the_example(), {}
    for name in names:
        file = tmp_path / name
        file.write_text(f"the-{name}-" + "x" * 50)
        files |= {name: None, f"{name}_FILE": str(file)}
    found = read(*names, "NEVER_LOGGED", **files)
    assert len(names) >= 7
    assert [name for name in names if not found[name].startswith(f"the-{name}-")] == []
    assert [name for name in names if found[name] not in found["NEVER_LOGGED"]] == []


def test_the_database_too_and_its_password(tmp_path):
    file = tmp_path / "database_url"
    file.write_text("postgres://numbers:pass-of-the-database@db:5432/desk")
    found = read("DATABASES", "NEVER_LOGGED", DATABASE_URL=None, DATABASE_URL_FILE=str(file))
    assert found["DATABASES"]["default"]["NAME"] == "desk"
    assert "pass-of-the-database" in found["NEVER_LOGGED"]


def test_without_a_secret_it_does_not_start():
    with pytest.raises(RuntimeError, match="SECRET_KEY"):
        read("SECRET_KEY", SECRET_KEY=None)


def test_it_does_not_start_with_a_simulated_provider():
    with pytest.raises(RuntimeError, match="TWILIO_API_BASE points at a simulated provider"):
        read("DEBUG", TWILIO_API_BASE="http://127.0.0.1:8001")


def test_the_log_is_for_machines():
    assert read("LOG_FORMAT")["LOG_FORMAT"] == "json"
