"""What staff see of the platform, and the mail before the provider's account is empty."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core import checks, mail
from django.utils import timezone

from numbers import watch
from numbers.models import Number, OrderLine
from numbers.purchase import purchase_number
from numbers.sync_models import BalanceSample, Difference

pytestmark = pytest.mark.django_db


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
    [("unauthorized", "do not work"), ("server_error", "does not answer"), ("suspended", "do not")],
)
def test_credentials_that_do_not_work_are_told_in_words(simulator, fault, words):
    assert watch.credentials_work() == ""
    simulator.fault(fault)
    assert words in watch.credentials_work()


def test_what_we_pay_for_and_nobody_pays_us_for(acme, owner, quote, simulator):
    purchase_number(workspace=acme, by=owner, quote=quote)
    assert watch.paid_by_nobody() == (0, 0)
    Number.objects.update(suspended_at=timezone.now())
    Difference.objects.create(
        e164="+12125550123", provider_sid="PN1", kind="nobodys", first_seen_at=timezone.now(),
        last_seen_at=timezone.now(),
    )  # fmt: skip
    assert watch.paid_by_nobody() == (2, Decimal("1.15"))
    Difference.objects.update(theirs={"name": "", "monthly_price": "2.00", "currency": "USD"})
    assert watch.paid_by_nobody() == (2, Decimal("3.15"))
    assert watch.open_differences() == [("At the carrier, and nobody's here", 1)]


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
