"""Whatever the two sides look like: after one walk both agree, and a second changes nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numbers import sync
from numbers.compare import compare
from numbers.models import Number
from numbers.sync_models import Difference
from telephony import provider
from telephony.webhook_urls import webhooks_for_numbers
from wallet.models import Wallet

pytestmark = pytest.mark.django_db

CAPABILITIES = st.lists(st.sampled_from(["voice", "sms", "mms"]), unique=True).map(sorted)
# What may be the case with one number: where it is, and what somebody did to it there.
SIDES = st.fixed_dictionaries(
    {
        "here": st.sampled_from(["no", "active", "vanished", "released"]),
        "there": st.booleans(),
        "voice_url": st.sampled_from(["ours", "", "https://desk.test/old"]),
        "name": st.sampled_from(["Ours", "Theirs", ""]),
        "able_here": CAPABILITIES,
        "able_there": CAPABILITIES,
    }
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sides=st.lists(SIDES, max_size=8))
def test_both_sides_agree_after_a_walk(acme, simulator, sides):
    clear(simulator)
    for index, side in enumerate(sides):
        set_up(acme, simulator, f"+1212557{index:04d}", side)
    assert sync.reconcile().complete
    assert_agreement()
    before = picture(simulator)
    again = sync.reconcile()
    assert again.cured == 0
    assert picture(simulator) == before


def clear(simulator) -> None:
    simulator.app.state.reset()
    Difference.objects.all().delete()
    Number.objects.all().delete()


def set_up(workspace, simulator, e164: str, side: dict) -> None:
    wanted = webhooks_for_numbers(side["able_there"])
    sid = simulator.seed(
        e164, friendly_name=side["name"], sms_url=wanted.message_url,
        voice_url=wanted.voice_url if side["voice_url"] == "ours" else side["voice_url"],
        voice_fallback_url=wanted.voice_fallback_url, status_callback=wanted.voice_status_url,
        sms_fallback_url=wanted.message_fallback_url,
        capabilities={name: name in side["able_there"] for name in ("voice", "sms", "mms")},
    )  # fmt: skip
    if not side["there"]:
        simulator.app.state.release(simulator.account, sid)
    if side["here"] == "no":
        return
    then = timezone.now() - timedelta(days=1)
    Number.objects.create(
        workspace=workspace, e164=e164, country="US", number_type="local",
        capabilities=side["able_here"], monthly_price="1.38", provider_monthly_price="1.15",
        currency="USD", friendly_name="Ours", provider_sid=sid, created_at=then,
        webhooks_set_at=then,
        vanished_at=then if side["here"] == "vanished" else None,
        released_at=then if side["here"] == "released" else None,
    )  # fmt: skip


def assert_agreement() -> None:
    """The same numbers on both sides but for nobody's, and each of them without a difference."""
    there = {owned.sid: owned for page in provider.list_pages() for owned in page}
    here = {n.provider_sid: n for n in Number.objects.owned().filter(vanished_at=None)}
    nobodys = set(
        Difference.objects.open().filter(kind="nobodys").values_list("provider_sid", flat=True)
    )
    assert set(there) - nobodys == set(here)
    for sid, number in here.items():
        assert compare(number, there[sid]) == []


def picture(simulator) -> list:
    ours = Number.objects.order_by("pk").values("e164", "status", "capabilities", "friendly_name")
    theirs = [(row["phone_number"], row["voice_url"], row["friendly_name"])
              for row in simulator.owned()]  # fmt: skip
    return [list(ours), theirs, Wallet.objects.get().balance]
