"""The wallet's page: what there is, until when it lasts, and every movement of it."""

import csv
import io
import random
import tracemalloc
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from wallet import ledger
from wallet.balances import balances_at
from wallet.models import Entry, Kind, Wallet
from wallet.runway import Uncovered, lasts_until, not_covered
from wallet.upcoming import Charge, Day

PAGE = "/w/acme/wallet/"
NOW = timezone.now()


@pytest.fixture
def wallet(acme) -> Wallet:
    return Wallet.objects.get(workspace=acme)


def use(wallet, amount, key, text="Calls", kind=Kind.USAGE, reference=""):
    return ledger.charge(
        wallet=wallet, kind=kind, amount=Decimal(amount), key=key, text=text, reference=reference
    )


def texts(response) -> list[str]:
    return [entry.text for entry, _ in response.context["entries"]]


def backdate(wallet, **days_by_key) -> None:
    """Move entries into the past, past the triggers; their order stays."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for key, days in days_by_key.items():
            cursor.execute(
                "UPDATE wallet_entry SET created_at = now() - %s * interval '1 day' "
                "WHERE wallet_id = %s AND key = %s",
                [days, wallet.pk, key],
            )
        cursor.execute("SET session_replication_role = origin")


def test_sum_of_the_lines_is_the_balance(as_owner, wallet):
    for n in range(7):
        use(wallet, "0.013", f"u{n}")
    wallet.refresh_from_db()
    lines = list(
        csv.DictReader(io.StringIO(b"".join(as_owner.get(f"{PAGE}statement.csv")).decode()))
    )
    assert sum(Decimal(line["Amount"]) for line in lines) == wallet.balance
    assert Decimal(lines[0]["Balance"]) == wallet.balance


def test_pages_follow_each_other_without_gap_or_repeat(as_owner, wallet):
    for n in range(120):
        use(wallet, "0.01", f"u{n}", text=f"Call {n}")
    address, seen = PAGE, []
    for _ in range(5):
        response = as_owner.get(address)
        seen += texts(response)
        if not response.context["older"]:
            break
        use(wallet, "0.01", f"late{len(seen)}", text="Late")  # what comes meanwhile moves nothing
        address = f"{PAGE}?{response.context['older']}"
    assert seen == [f"Call {n}" for n in reversed(range(120))] + ["Funds"]


def test_filters_by_kind_number_and_reference(as_owner, wallet):
    use(wallet, 1, "a", text="+1 212-555-0123, first month", kind=Kind.PURCHASE, reference="ORD-1")
    use(wallet, 1, "b", text="Call to Rome")
    assert texts(as_owner.get(PAGE, {"kind": "purchase"})) == ["+1 212-555-0123, first month"]
    for asked in ("+12125550123", "2125550123", "212 555", "(212) 555-0123", "ORD-1"):
        assert texts(as_owner.get(PAGE, {"q": asked})) == ["+1 212-555-0123, first month"], asked
    assert texts(as_owner.get(PAGE, {"q": "rome"})) == ["Call to Rome"]
    assert "Nothing fits" in as_owner.get(PAGE, {"q": "nowhere"}).content.decode()


def test_period_shows_opening_and_closing_balance(as_owner, wallet):
    for n, days in enumerate([20, 10, 9, 2]):
        use(wallet, 1, f"u{n}", text=f"Call {n}")
        backdate(wallet, **{f"u{n}": days})
    backdate(wallet, funds=30)
    today = timezone.now().date()
    response = as_owner.get(
        PAGE, {"since": today - timedelta(days=12), "until": today - timedelta(days=5)}
    )
    assert texts(response) == ["Call 2", "Call 1"]
    assert (response.context["opening"], response.context["closing"]) == (49, 47)
    assert "Balance at the beginning" in response.content.decode()


def test_balances_are_found_among_many(wallet):
    for n in range(40):
        use(wallet, 1, f"u{n}")
    backdate(wallet, funds=60, **{f"u{n}": 50 - n for n in range(40)})
    wallet.refresh_from_db()
    now = timezone.now()
    days = [now - timedelta(days=back, hours=12) for back in range(70)]
    found = balances_at(wallet, days, used_since=days[20])
    for day in days:
        entry = Entry.objects.filter(wallet=wallet, created_at__lt=day).order_by("-seq").first()
        assert found.points[day].balance == (entry.balance_after if entry else 0), day
    assert found.used == 10


def test_use_is_told_from_rent_and_top_ups(wallet):
    since = timezone.now()
    use(wallet, "3.5", "u")
    use(wallet, 2, "r", kind=Kind.RENT)
    ledger.credit(wallet=wallet, amount=Decimal(9), contra="bank", key="t", text="Funds")
    wallet.refresh_from_db()
    assert balances_at(wallet, [], used_since=since).used == Decimal("3.5")


def charge(days, amount, number="+12125550001") -> Charge:
    return Charge(NOW + timedelta(days=days, minutes=1), Decimal(amount), number)


def ahead(charges, available, use_a_day) -> tuple[object, Uncovered]:
    """Both answers, from charges that are summed and read as the database would do it."""
    charges = sorted(charges, key=lambda one: one.due_at)
    by_day: dict[int, list[Decimal]] = {}
    for one in charges:
        by_day.setdefault(max((one.due_at - NOW).days, 0), []).append(one.amount)
    days = [Day(day, sum(sums), len(sums), min(sums)) for day, sums in sorted(by_day.items())]

    def read(since, skip, most):
        return [one for one in charges if since is None or one.due_at >= since][skip : skip + most]

    spent = {"available": available, "days": days, "use_a_day": use_a_day, "now": NOW}
    return lasts_until(**spent), not_covered(**spent, read=read, most=20)


@pytest.mark.parametrize(
    ("available", "charges", "use_a_day", "lasts", "uncovered"),
    [
        ("50", [], "0", None, []),
        ("10", [], "1", 11, []),
        ("3", [charge(5, 2), charge(6, 2)], "0", 6, [charge(6, 2)]),
        ("4", [charge(5, 2)], "0", 65, []),
        ("10", [charge(8, 3)], "1", 8, [charge(8, 3)]),
        ("-1", [charge(0, 1)], "0", 0, [charge(0, 1)]),
        ("2", [charge(5, 3), charge(6, 2), charge(7, 1)], "0", 5, [charge(5, 3), charge(7, 1)]),
    ],
)
def test_how_long_the_money_lasts(available, charges, use_a_day, lasts, uncovered):
    last, found = ahead(charges, Decimal(available), Decimal(use_a_day))
    assert last == (None if lasts is None else NOW + timedelta(days=lasts))
    assert (found.charges, found.count) == (uncovered, len(uncovered))


def test_what_is_not_covered_is_that_of_paying_one_after_the_other():
    """Against the plain loop over every charge, on made-up workspaces."""
    chance = random.Random(7)
    for _ in range(300):
        charges = [
            charge(chance.randint(-3, 29), chance.choice(["1.38", "2.58", "0.5"]))
            for _ in range(chance.randint(0, 60))
        ]
        available, use = Decimal(chance.randint(-2, 90)), Decimal(chance.randint(0, 3))
        paid, expected = Decimal(0), []
        for one in sorted(charges, key=lambda one: one.due_at):
            if one.amount > available - paid - use * max((one.due_at - NOW).days, 0):
                expected.append(one)
            else:
                paid += one.amount
        found = ahead(charges, available, use)[1]
        assert (found.charges, found.count) == (expected[:20], len(expected))


def test_page_names_holds_and_the_renewals_not_covered(as_owner, wallet, acme, settings):
    ledger.hold(
        wallet=wallet, amount=Decimal(49), currency="USD", key="h", text="A number",
        reference="ORD-9",
    )  # fmt: skip
    settings.RENT_AHEAD = {"days": f"{__name__}.two_days", "charges": f"{__name__}.two_renewals"}
    page = as_owner.get(PAGE).content.decode()
    assert "$49.00 · A number (ORD-9)" in page
    assert "not covered" in page
    assert "+1 212-555-0002: $0.75" in page
    assert "+1 212-555-0001: $0.75" not in page


def two_renewals(workspace, *, since, until, most, skip):
    both = [charge(n + 0.5, "0.75", f"+1212555000{n}") for n in (1, 2)]
    return [one for one in both if since is None or one.due_at >= since][skip : skip + most]


def two_days(workspace, *, now, days, most, covered):
    sums = [Day(n, Decimal("0.75"), 1, Decimal("0.75")) for n in (1, 2)]
    return sums, two_renewals(workspace, since=None, until=None, most=most, skip=0)


@pytest.mark.parametrize("name", ["kind", "q", "since", "until", "before"])
@pytest.mark.parametrize(
    "value", ["\0", "😀", "x" * 10_000, "-1", "9999-12-31", "0001-01-01", "9" * 30, "((", "' OR 1"]
)
def test_hostile_filters_give_a_page(as_owner, wallet, name, value):
    for address in (PAGE, f"{PAGE}statement.csv"):
        response = as_owner.get(address, {name: value})
        assert response.status_code in (200, 422)
        if response.streaming:
            b"".join(response)


def test_end_before_the_beginning_is_said(as_owner, wallet):
    response = as_owner.get(PAGE, {"since": "2026-02-02", "until": "2026-01-01"})
    assert response.status_code == 422
    assert "The end is before the beginning" in response.content.decode()


@pytest.mark.parametrize("address", [PAGE, f"{PAGE}statement.csv"])
@pytest.mark.parametrize(
    ("who", "status"),
    [("owner", 200), ("member", 200), ("viewer", 403), ("outsider", 404), ("nobody", 302)],
)
def test_who_sees_the_wallet(request, client, wallet, address, who, status):
    if who != "nobody":
        client.force_login(request.getfixturevalue(who))
    assert client.get(address).status_code == status


def test_member_sees_no_way_to_add_funds(as_member, wallet):
    assert "Add funds" not in as_member.get(PAGE).content.decode()


def test_another_workspace_shows_none_of_it(as_outsider, globex, wallet):
    use(wallet, 1, "a", text="Secret call")
    assert "Secret" not in as_outsider.get("/w/globex/wallet/").content.decode()


def test_queries_do_not_grow(as_owner, wallet, django_assert_max_num_queries):
    for n in range(60):
        use(wallet, "0.01", f"u{n}", reference=f"ORD-{n}")
    for n in range(5):
        ledger.hold(wallet=wallet, amount=Decimal(1), currency="USD", key=f"h{n}", text="A number",
                    reference="ORD-9")  # fmt: skip
    as_owner.get(PAGE)
    with django_assert_max_num_queries(8):
        as_owner.get(PAGE)


def test_csv_is_no_formula_for_a_spreadsheet(as_owner, wallet):
    use(wallet, 1, "a", text="=HYPERLINK(1)")
    assert "'=HYPERLINK" in b"".join(as_owner.get(f"{PAGE}statement.csv")).decode()


@pytest.mark.django_db(transaction=True)
def test_csv_of_many_lines_takes_the_memory_of_few(as_owner, acme):
    """Through the whole view, with the real cursor on the server: without it all rows are
    held at once.
    """
    few = _peak_of_the_export(as_owner, acme, 1_000)
    many = _peak_of_the_export(as_owner, acme, 50_000)
    assert many < few + 2_000_000
    assert many < 6_000_000


def _peak_of_the_export(as_owner, acme, most: int) -> int:
    wallet = Wallet.objects.get(workspace=acme)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "INSERT INTO wallet_entry (wallet_id, seq, kind, amount, contra, balance_after, "
            "available_after, key, text, reference, reason, created_at) "
            "SELECT %s, n, 'usage', -0.01, 'revenue', 50, 50, 'k' || n, 'Call', '', '', now() "
            "FROM generate_series(%s, %s) AS n",
            [wallet.pk, wallet.last_seq + 1, most],
        )
        cursor.execute("SET session_replication_role = origin")
    Wallet.objects.filter(pk=wallet.pk).update(last_seq=most)
    response = as_owner.get(f"{PAGE}statement.csv")
    tracemalloc.start()
    lines = sum(part.count(b"\n") for part in response)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines == most + 1
    return peak


def test_period_in_the_future_is_empty(as_owner, wallet):
    response = as_owner.get(PAGE, {"since": "2100-01-01"})
    assert (texts(response), response.context["opening"]) == ([], 50)
