"""What the parts are told, and what of it the person's own environment decides."""

from pathlib import Path

import environ
import pytest

from embedded import environment
from embedded.postgres import Postgres
from embedded.valkey import Valkey
from embedded.var_dir import VarDir

OWN_TWILIO = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t"}


@pytest.fixture
def var(tmp_path: Path) -> VarDir:
    return VarDir(tmp_path)


def test_database_url_is_read_by_django_environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    postgres = Postgres(
        data=tmp_path / "data", runtime=tmp_path / "a b", log=tmp_path / "log", durable=True
    )
    monkeypatch.setenv("DATABASE_URL", postgres.url)

    database = environ.Env().db("DATABASE_URL")

    assert database["NAME"] == "numbers"
    assert database["OPTIONS"] == {"host": str(tmp_path / "a b" / "postgres"), "user": "numbers"}


def test_valkey_urls_name_the_socket_and_two_databases():
    valkey = Valkey(data=Path("/d"), runtime=Path("/r"), log=Path("/l"), durable=True)

    assert valkey.broker_url == "redis+socket:///r/valkey.sock?virtual_host=0"
    assert valkey.cache_url == "unix:///r/valkey.sock?db=1"


def test_what_is_set_stays(var: VarDir):
    env = environment.for_demo({"SECRET_KEY": "mine", "ALLOWED_HOSTS": ""}, var, port=8000)

    assert env["SECRET_KEY"] == "mine"
    assert env["ALLOWED_HOSTS"] == "127.0.0.1,localhost"  # empty is as good as not set


def test_secret_given_as_a_file_stays(var: VarDir):
    env = environment.for_demo({"SECRET_KEY_FILE": "/run/secrets/key"}, var, port=8000)

    assert "SECRET_KEY" not in env


def test_secret_is_kept_and_private(var: VarDir):
    assert var.secret() == VarDir(var.path).secret()
    assert (var.path / "secret_key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("env", [OWN_TWILIO, {"TWILIO_API_BASE": "http://elsewhere"}])
def test_no_simulator_beside_a_provider_of_ones_own(env: dict[str, str]):
    assert not environment.wants_simulator(env)


def test_simulated_account_looks_like_one_and_stays(var: VarDir):
    env = environment.for_simulator({}, var, port=8001)

    assert env["TWILIO_API_BASE"] == "http://127.0.0.1:8001"
    assert env["TWILIO_ACCOUNT_SID"].startswith("AC")
    assert len(env["TWILIO_ACCOUNT_SID"]) == 34
    assert env == environment.for_simulator({}, var, port=8001)


def test_tests_never_see_a_real_account(var: VarDir):
    env = environment.for_tests({**OWN_TWILIO, "TWILIO_API_KEY_SID": "SK1"}, var)

    assert env["TWILIO_ACCOUNT_SID"] == "AC" + 32 * "0"
    assert env["TWILIO_API_KEY_SID"] == ""
    assert env["TWILIO_API_BASE"] == "http://simulator.test"


@pytest.mark.parametrize("env", [{"STRIPE_API_KEY": "k"}, {"STRIPE_API_BASE": "http://elsewhere"}])
def test_no_simulated_payments_beside_a_stripe_account_of_ones_own(env: dict[str, str]):
    assert not environment.wants_stripe_simulator(env)


def test_a_stripe_account_found_here_never_reaches_the_tests(var: VarDir):
    env = environment.for_tests({"STRIPE_API_KEY": "sk_live"}, var)

    assert env["STRIPE_API_KEY"] == ""
