"""Staff see on every page that the provider's credentials do not work, and nobody else does."""

import pytest
from django.core.cache.backends.locmem import LocMemCache

from conftest import signed_in
from numbers.account import look_at_account
from telephony import provider
from telephony.errors import NotConfigured

PAGE = "/w/acme/numbers/"
REFUSED = "Twilio refused the credentials of this site"


@pytest.fixture
def as_staff_owner(owner):
    """Support staff that is in a workspace, too."""
    owner.is_staff = True
    owner.save(update_fields=["is_staff"])
    return signed_in(owner)


@pytest.fixture
def refused(simulator) -> None:
    """The provider has just answered 401, once."""
    simulator.fault("unauthorized")
    with pytest.raises(NotConfigured):
        provider.balance()


@pytest.mark.parametrize(
    ("missing", "words"),
    [(["ACCOUNT_SID", "AUTH_TOKEN"], "are missing"), (["AUTH_TOKEN"], "are incomplete")],
)
def test_staff_see_that_credentials_are_not_complete(
    as_staff_owner, simulator, settings, missing, words
):
    for name in missing:
        setattr(settings, f"TWILIO_{name}", "")
    shown = " ".join(as_staff_owner.get(PAGE).text.split())
    assert f"the Twilio credentials of this site {words}" in shown


def test_staff_see_that_credentials_were_refused_and_what_to_set(as_staff_owner, refused):
    page = as_staff_owner.get(PAGE)
    assert REFUSED in page.text
    assert "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN" in page.text


def test_a_member_does_not_see_it(as_owner, refused):
    assert REFUSED not in as_owner.get(PAGE).text


def test_it_is_gone_after_a_call_that_worked(as_staff_owner, refused):
    provider.balance()
    assert REFUSED not in as_staff_owner.get(PAGE).text


def test_it_is_gone_with_other_credentials(as_staff_owner, refused, settings):
    settings.TWILIO_AUTH_TOKEN = "the right one"
    assert REFUSED not in as_staff_owner.get(PAGE).text


def test_staff_see_that_the_account_is_suspended_as_long_as_it_is(
    as_staff_owner, as_outsider, simulator
):
    suspended = "Twilio has suspended or closed the account"
    simulator.app.account_status = "suspended"
    look_at_account()
    assert suspended in as_staff_owner.get(PAGE).text
    assert suspended not in as_outsider.get("/w/globex/numbers/").text
    simulator.app.account_status = "active"
    look_at_account()
    assert suspended not in as_staff_owner.get(PAGE).text


def test_another_failure_is_not_taken_for_it(as_staff_owner, simulator):
    simulator.fault("unavailable")
    with pytest.raises(Exception, match="ProviderUnavailable"):
        provider.balance()
    assert REFUSED not in as_staff_owner.get(PAGE).text


def test_a_cache_that_fails_breaks_neither_call_nor_page(as_staff_owner, simulator, settings):
    simulator.fault("unauthorized")
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        }
    }
    with pytest.raises(NotConfigured):
        provider.balance()
    assert provider.balance()
    assert as_staff_owner.get(PAGE).status_code == 200


def test_only_staff_read_the_cache_and_once(as_outsider, as_staff_owner, simulator, monkeypatch):
    read, get = [], LocMemCache.get

    def noted(cache: LocMemCache, key: str, *args, **options):
        read.append(key)
        return get(cache, key, *args, **options)

    monkeypatch.setattr(LocMemCache, "get", noted)
    for client, page, times in ((as_outsider, "/w/globex/numbers/", 0), (as_staff_owner, PAGE, 1)):
        read.clear()
        assert client.get(page).status_code == 200
        assert len([key for key in read if key.startswith("twilio-refused")]) == times
