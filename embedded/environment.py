"""What the parts are told. A variable that is set keeps its value, unless it is empty."""

import hashlib
from collections.abc import Mapping

from embedded.var_dir import VarDir


def is_given(env: Mapping[str, str], name: str) -> bool:
    """Set to something, or to a file, as the settings allow."""
    return bool(env.get(name) or env.get(f"{name}_FILE"))


def wants_simulator(env: Mapping[str, str]) -> bool:
    """Not with a Twilio account of one's own, nor with a simulator that runs elsewhere."""
    return not is_given(env, "TWILIO_ACCOUNT_SID") and not is_given(env, "TWILIO_API_BASE")


def for_demo(env: Mapping[str, str], var: VarDir, *, port: int) -> dict[str, str]:
    defaults = {
        "DEMO_MODE": "true",
        "SECRET_KEY": var.secret(),
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "PYTHONUNBUFFERED": "1",
    }
    return _with_defaults(env, defaults) | {"VAR_DIR": str(var.path)}


def for_simulator(env: Mapping[str, str], var: VarDir, *, port: int) -> dict[str, str]:
    """A made-up account: the simulator accepts no other, and it stays the same."""
    defaults = {
        "TWILIO_API_BASE": f"http://127.0.0.1:{port}",
        "TWILIO_ACCOUNT_SID": "AC" + _derived(var, "account"),
        "TWILIO_AUTH_TOKEN": _derived(var, "token"),
    }
    return _with_defaults(env, defaults)


def wants_stripe_simulator(env: Mapping[str, str]) -> bool:
    """Not with a Stripe account of one's own, nor with a simulator that runs elsewhere."""
    return not is_given(env, "STRIPE_API_KEY") and not is_given(env, "STRIPE_API_BASE")


def for_stripe_simulator(env: Mapping[str, str], var: VarDir, *, port: int) -> dict[str, str]:
    """Made-up keys: the simulator accepts no other, and they stay the same."""
    defaults = {
        "STRIPE_API_BASE": f"http://127.0.0.1:{port}",
        "STRIPE_API_KEY": "sk_test_" + _derived(var, "stripe key"),
        "STRIPE_WEBHOOK_SECRET": "whsec_" + _derived(var, "stripe webhook"),
    }
    return _with_defaults(env, defaults)


def for_tests(env: Mapping[str, str], var: VarDir) -> dict[str, str]:
    """The same on every machine; only the services may be somebody's own.

    Above all, a Twilio account found in the environment must not reach the tests.
    """
    return _without_provider(env) | {
        "DEMO_MODE": "true",
        "DEBUG": "false",
        "SECRET_KEY": "only-for-tests-and-as-long-as-django-wants-a-secret-to-be",
        "PUBLIC_BASE_URL": "https://desk.test",
        "ALLOWED_HOSTS": "desk.test,testserver,127.0.0.1,localhost",
        "TWILIO_API_BASE": "http://simulator.test",
        "VAR_DIR": str(var.path),
    }


def for_production(env: Mapping[str, str]) -> dict[str, str]:
    """Like a real installation's, for `check --deploy` to look at; it leads nowhere."""
    return _without_provider(env) | {
        "DEMO_MODE": "false",
        "DEBUG": "false",
        "SECRET_KEY": hashlib.sha512(b"production").hexdigest(),
        "PUBLIC_BASE_URL": "https://desk.example.com",
        "ALLOWED_HOSTS": "desk.example.com",
        "TWILIO_API_BASE": "",
        "EMAIL_URL": "smtp://mail.example.com:25",
        "OPERATOR_EMAILS": "operators@example.com",
    }


def _with_defaults(env: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    missing = {name: value for name, value in defaults.items() if not is_given(env, name)}
    return {**env, **missing}


def _without_provider(env: Mapping[str, str]) -> dict[str, str]:
    """Set rather than left out: what is left out would be looked for in `.env`."""
    others = {
        name: value for name, value in env.items() if not name.startswith(("TWILIO_", "STRIPE_"))
    }
    return others | {
        "STRIPE_API_BASE": "",
        "STRIPE_API_KEY": "",
        "STRIPE_WEBHOOK_SECRET": "",
        "TWILIO_ACCOUNT_SID": "AC" + 32 * "0",
        "TWILIO_AUTH_TOKEN": 32 * "0",
        "TWILIO_API_KEY_SID": "",
        "TWILIO_API_KEY_SECRET": "",
    }


def _derived(var: VarDir, purpose: str) -> str:
    return hashlib.sha256(f"{purpose}:{var.secret()}".encode()).hexdigest()[:32]
