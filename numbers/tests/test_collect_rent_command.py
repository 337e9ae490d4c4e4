"""`manage.py collect_rent`: what beat does, by hand."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from numbers.models import Number, RentRun
from numbers.tests.rent_book import balance, buy, lines, rows

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = StringIO()
    call_command("collect_rent", *words, stdout=out)
    return out.getvalue()


def test_it_charges_and_prints_what_it_did(acme, globex):
    buy(acme, "2023-01-10", "1.00")
    buy(globex, "2023-01-10", "3.00")
    said = run("--at", "2023-02-10T00:00Z")
    assert f"Run {RentRun.objects.get().pk}: charged 1 month in 1 wallet, $1.00, in " in said
    assert "Not covered: 1 month, $3.00." in said
    assert "Steps and reminders for unpaid numbers: 1." in said
    assert RentRun.objects.get().cause == RentRun.Cause.COMMAND


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(acme, globex):
    number = buy(acme, "2023-01-10", "1.00")
    for _ in range(2):
        buy(globex, "2023-01-10", "1.50")
    before = rows("SELECT * FROM numbers_rentdue ORDER BY 1")
    assert run("--dry-run", "--at", "2023-02-10T00:00Z").splitlines() == [
        "globex: $2.00 covers 1 of 2 months; $1.50 would be left.",
        "Would charge 2 months in 2 wallets, $2.50.",
        "Would not be covered: 1 month, $1.50.",
        "Nothing was charged.",
    ]
    assert rows("SELECT * FROM numbers_rentdue ORDER BY 1") == before
    assert (lines(number), balance(acme), RentRun.objects.count()) == ([], 50, 0)


def test_a_dry_run_and_the_run_say_the_same(globex):
    for day, price in [(10, "0.50"), (11, "1.00"), (12, "0.60"), (13, "0.01")]:
        buy(globex, f"2023-01-{day}", price)
    assert "Would charge 2 months in 1 wallet, $1.50." in run("--dry-run", "--at", "2023-03-01")
    assert "charged 2 months in 1 wallet, $1.50" in run("--at", "2023-03-01")


def test_it_can_be_for_one_workspace(acme, globex):
    number, other = buy(acme, "2023-01-10", "1.00"), buy(globex, "2023-01-10", "1.00")
    run("--at", "2023-02-10", "--workspace", "globex")
    assert (lines(number), len(lines(other))) == ([], 1)


def test_without_a_time_it_is_now(acme):
    number = buy(acme, timezone.now() - timedelta(days=32))
    run()
    assert len(lines(number)) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--at", "2099-01-01T00:00Z"], "the database's clock says"),
        (["--at", "tomorrow"], "invalid parsed value"),
        (["--workspace", "nowhere"], "There is no workspace nowhere."),
        (["--dry-run", "--at", "2099-01-01T00:00Z"], "the database's clock says"),
    ],
)
def test_what_cannot_be_is_refused(acme, words, said):
    buy(acme, "2023-01-10")
    with pytest.raises(CommandError, match=said):
        run(*words)
    assert (RentRun.objects.count(), Number.objects.count()) == (0, 1)
