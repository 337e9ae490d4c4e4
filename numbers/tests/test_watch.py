"""What staff see of the platform, and the mail before the provider's account is empty."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core import checks, mail
from django.utils import timezone

from conftest import signed_in
from numbers import sync, watch
from numbers.models import Number, OrderLine
from numbers.purchase import purchase_number
from numbers.sync_models import BalanceSample, Difference, SyncRun
from numbers.watch import PaidByNobody

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_staff(staff, simulator):
    return signed_in(staff)


def had(days_ago: float, amount: str) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    BalanceSample.objects.create(at=at, amount=Decimal(amount), currency="USD")


def test_days_left_follow_from_a_weeks_use():
    had(7, "170")
    had(3, "130")
    had(0, "100")
    funds = watch.provider_funds()
    assert (funds.amount, round(funds.burn), funds.days_left) == (100, 10, 10)


def test_a_payment_into_the_account_is_not_negative_use():
    had(4, "50")
    had(2, "10")
    had(1, "510")
    had(0, "490")
    assert watch.provider_funds().burn == pytest.approx(Decimal(15))


def test_too_little_is_known_for_a_forecast():
    had(0.1, "60")
    had(0, "50")
    assert watch.provider_funds().days_left is None


def test_the_operators_are_told_once_a_day_while_it_is_low(simulator, settings):
    settings.OPERATOR_EMAILS = ["ops@example.test"]
    settings.PROVIDER_BALANCE_LEAST = 20_000
    watch.sample_balance()
    watch.sample_balance()
    assert len(mail.outbox) == 1
    assert "Twilio's balance is $10,000.00" in mail.outbox[0].subject
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        watch.sample_balance()
    assert len(mail.outbox) == 2


def test_a_mail_that_could_not_be_sent_is_sent_at_the_next_look(simulator, settings):
    settings.OPERATOR_EMAILS = ["ops@example.test"]
    settings.PROVIDER_BALANCE_LEAST = 20_000
    works = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    watch.sample_balance()
    settings.EMAIL_BACKEND = works
    for _ in range(2):
        watch.sample_balance()
    assert [told.subject[:20] for told in mail.outbox] == ["Twilio's balance is "]
    assert BalanceSample.objects.count() == 3


def test_enough_is_enough(simulator, settings):
    settings.OPERATOR_EMAILS = ["ops@example.test"]
    watch.sample_balance()
    assert mail.outbox == []


def test_the_heartbeat_tells_when_beat_and_worker_were_last_alive():
    assert watch.last_beat() is None
    watch.beat()
    assert timezone.now() - watch.last_beat() < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("unauthorized", "do not work"), ("server_error", "does not answer"),
        ("suspended", "do not"), ("porting_out", "refuses to tell (HTTP 400, code 22350)"),
    ],
)  # fmt: skip
def test_credentials_that_do_not_work_are_told_in_words(simulator, fault, words):
    assert watch.credentials_work() == ""
    simulator.fault(fault)
    assert words in watch.credentials_work()


def nobodys(line: int, **price: str) -> None:
    now = timezone.now()
    Difference.objects.create(
        e164=f"+1212555{line:04d}", provider_sid=f"PN{line}", kind="nobodys", first_seen_at=now,
        last_seen_at=now, theirs={"name": "", **price},
    )  # fmt: skip


def test_what_we_pay_for_and_nobody_pays_us_for(acme, owner, quote, simulator):
    purchase_number(workspace=acme, by=owner, quote=quote)
    assert watch.paid_by_nobody() == PaidByNobody(0, {}, 0)
    Number.objects.update(suspended_at=timezone.now())
    nobodys(1)
    assert watch.paid_by_nobody() == PaidByNobody(2, {"USD": Decimal("1.15")}, 1)
    nobodys(2, monthly_price="2.00", currency="USD")
    assert watch.paid_by_nobody() == PaidByNobody(3, {"USD": Decimal("3.15")}, 1)
    assert watch.open_differences() == [(Difference.Kind.NOBODYS, 2)]


def test_a_kind_of_difference_leads_to_those_that_are_open(as_staff, simulator):
    for line in (1, 2):
        nobodys(line)
    Difference.objects.filter(provider_sid="PN2").update(
        ended_at=timezone.now(), cure=Difference.Cure.BY_ITSELF
    )
    page = as_staff.get("/admin/platform/").content.decode()
    address = "/admin/numbers/difference/?kind__exact=nobodys&amp;ended_at__isempty=1"
    assert f'<a href="{address}">At the carrier, and nobody&#x27;s here: 1</a>' in page
    listed = as_staff.get(address.replace("&amp;", "&")).context["cl"].queryset
    assert [row.provider_sid for row in listed] == ["PN1"]


def test_a_comparison_that_never_comes_to_its_end_is_told(as_staff, simulator, client, settings):
    settings.METRICS_TOKEN = "right"

    def page() -> str:
        return as_staff.get("/admin/platform/").content.decode()

    def age() -> list[str]:
        told = client.get("/metrics", headers={"Authorization": "Bearer right"}).content.decode()
        lines = [line for line in told.splitlines() if line.startswith("desk_comparison_age")]
        return [line.split()[1] for line in lines]

    assert "Never compared yet" in page()
    simulator.fault("server_error", path_contains="IncomingPhoneNumbers.json")
    sync.reconcile()
    assert "No comparison has come to its end yet" in page()
    assert age() == []
    sync.reconcile()
    assert "No comparison has come to its end" not in page()
    SyncRun.objects.update(ended_at=timezone.now() - timedelta(hours=4))
    assert "No comparison has come to its end since" in page()
    assert [float(seconds) // 3600 for seconds in age()] == [4]


def test_two_currencies_are_never_added(acme, make_number, as_staff):
    now = timezone.now()
    for facts in ({}, {"currency": "EUR"}, {"currency": "EUR", "provider_monthly_price": 3}):
        make_number(acme, suspended_at=now, **facts)
    make_number(acme, currency="GBP")
    nobodys(1, monthly_price="0.850000", currency="EUR")
    nobodys(2, monthly_price="2.00", currency="CHF")
    nobodys(3)
    found = watch.paid_by_nobody()
    assert found == PaidByNobody(
        6, {"CHF": Decimal(2), "EUR": Decimal(5), "USD": Decimal("1.15")}, 1
    )
    page = " ".join(as_staff.get("/admin/platform/").content.decode().split())
    assert (
        "6 numbers for which we pay and nobody pays us, at CHF2.00 and €5.00 and $1.15 a month. "
        "The price of 1 of them is not known." in page
    )


def test_a_deployment_in_which_nobody_would_be_told_is_warned_of(settings):
    settings.OPERATOR_EMAILS = []
    [warning] = checks.run_checks(include_deployment_checks=True, tags=["operators"])
    assert "OPERATOR_EMAILS" in warning.hint
    settings.OPERATOR_EMAILS = ["ops@example.test"]
    assert checks.run_checks(include_deployment_checks=True, tags=["operators"]) == []


def test_orders_whose_outcome_is_unknown_are_counted(acme, owner, quote, simulator):
    simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers")
    purchase_number(workspace=acme, by=owner, quote=quote)
    assert watch.unsettled_orders() == OrderLine.objects.count() == 1
