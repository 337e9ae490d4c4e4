"""The pages about rent: what is overdue, paying it, the costs, and what a payment paid."""

from datetime import timedelta

import pytest
from django.utils import timezone

from numbers.models import Number, RentRun
from numbers.rent import collect_due
from numbers.tests.rent_book import at, balance, buy, lines, put_in
from wallet.models import Entry, Kind

pytestmark = pytest.mark.django_db

OVERDUE = "/w/acme/numbers/overdue/"
PAY = "/w/acme/numbers/overdue/pay/"
COSTS = "/w/acme/numbers/costs/"
UNUSED = "/w/acme/numbers/costs/unused/"


@pytest.fixture
def dear(acme) -> Number:
    """A few hours overdue; it costs 60, and 50 are there."""
    number = buy(acme, timezone.now() - timedelta(days=31, hours=8), "60.00")
    collect_due()
    return number


def text(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_the_overdue_page_shows_what_is_owed_missing_and_when_what_stops(as_owner, dear):
    page = text(as_owner.get(OVERDUE))
    for shown in [dear.international, "$60.00", "$50.00", "$10.00", "outbound stops", "released"]:
        assert shown in page
    assert "/w/acme/wallet/add/?missing=10.00" in page


def test_without_money_for_the_first_there_is_nothing_to_press(as_owner, acme, dear):
    assert "Pay now" not in text(as_owner.get(OVERDUE))
    put_in(acme, "10.00")
    assert "Pay now: $60.00" in text(as_owner.get(OVERDUE))


def test_a_viewer_sees_no_money(as_viewer, dear):
    answer = as_viewer.get(OVERDUE)
    assert answer.status_code == 403
    assert "wallet_view" in text(answer)


def test_a_member_sees_it_but_cannot_pay_and_learns_who_can(as_member, owner, dear):
    page = text(as_member.get(OVERDUE))
    assert "Pay now" not in page
    assert "mailto:owner@acme.test" in page
    assert as_member.post(PAY).status_code == 403
    assert lines(dear) == []


def test_nothing_overdue_says_so(as_owner, acme):
    assert "Nothing is overdue" in text(as_owner.get(OVERDUE))


def test_pay_now_pays_and_says_what_is_left(as_owner, acme, dear):
    put_in(acme, "10.00")
    page = text(as_owner.post(PAY, follow=True))
    assert "Paid 1 month. What is paid works again. Nothing is overdue any more." in page
    assert (len(lines(dear)), balance(acme)) == (1, 0)


def test_pay_now_twice_pays_once(as_owner, acme, dear):
    put_in(acme, "100.00")
    as_owner.post(PAY)
    answer = as_owner.post(PAY)
    assert (answer.status_code, "Nothing is overdue" in text(answer)) == (422, True)
    assert (len(lines(dear)), balance(acme)) == (1, 90)


def test_pay_now_without_money_is_refused_with_the_way_to_add_it(as_owner, dear):
    answer = as_owner.post(PAY)
    assert answer.status_code == 422
    assert "Add $10.00 or more. Nothing was charged." in text(answer)
    assert lines(dear) == []


def test_the_banner_is_on_the_numbers_page_and_in_the_wallet(as_owner, as_viewer, acme, dear):
    for address in ["/w/acme/numbers/", "/w/acme/wallet/"]:
        page = text(as_owner.get(address))
        assert "Rent is overdue" in page
        assert OVERDUE in page
    page = text(as_viewer.get("/w/acme/numbers/"))
    assert "Rent is overdue" in page
    assert OVERDUE not in page


def test_no_banner_where_nothing_is_overdue(as_owner, acme):
    assert "Rent is overdue" not in text(as_owner.get("/w/acme/numbers/"))


def test_costs_are_shown_by_month_country_and_number(as_owner, acme):
    number = buy(acme, "2023-01-10", "1.38")
    collect_due(at("2023-02-10"))
    page = text(as_owner.get(COSTS))
    for shown in ["$1.38", "United States", f"{timezone.now():%B %Y}", number.international]:
        assert shown in page
    assert "Twilio may reclaim numbers" in page
    assert "releasing saves $1.38 a month" in page


def test_costs_without_numbers_say_so(as_owner, acme):
    assert "No number costs anything yet" in text(as_owner.get(COSTS))


def test_a_long_list_goes_on_where_it_ended(as_owner, acme, monkeypatch):
    monkeypatch.setattr("numbers.rent_views.SHOWN", 2)
    numbers = [buy(acme, "2023-01-10", price) for price in ("3.00", "2.00", "1.00")]
    for address in (COSTS, UNUSED):
        first = text(as_owner.get(address))
        assert numbers[2].international not in first
        assert f"after={numbers[1].public_id}" in first
        rest = text(as_owner.get(address, {"after": numbers[1].public_id, "days": "30"}))
        assert numbers[2].international in rest
        assert numbers[0].international not in rest


def test_unused_numbers_with_what_releasing_them_saves(as_owner, acme):
    number = buy(acme, timezone.now() - timedelta(days=45), "1.38")
    assert number.international in text(as_owner.get(UNUSED))
    page = text(as_owner.get(UNUSED, {"days": "60"}))
    assert number.international not in page
    assert "Every number was used within 60 days" in page
    assert "30 days: 1, $1.38 a month" in page


@pytest.mark.parametrize(
    "query",
    [
        {"days": "\x00"}, {"days": "45"}, {"days": "-1"}, {"days": "9" * 10_000},
        {"after": "\x00"}, {"after": "🙂"}, {"after": "x" * 10_000}, {"after": "' OR 1=1"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("address", [COSTS, UNUSED])
def test_nonsense_in_the_address_gives_a_page(as_owner, acme, address, query):
    buy(acme, "2023-01-10")
    assert as_owner.get(address, query).status_code == 200


def test_a_place_in_another_workspaces_list_means_nothing_here(as_owner, acme, globex):
    number, other = buy(acme, "2023-01-10"), buy(globex, "2023-01-10", "9.00")
    page = text(as_owner.get(COSTS, {"after": other.public_id}))
    assert number.international in page
    assert other.international not in page


@pytest.fixture
def payment(acme) -> Entry:
    for _ in range(2):
        buy(acme, "2023-01-10", "1.38")
    collect_due(at("2023-02-10"))
    return Entry.objects.get(kind=Kind.RENT)


def test_a_payment_opens_into_a_line_per_number(as_owner, payment):
    page = text(as_owner.get(f"/w/acme/numbers/rent/{payment.seq}/"))
    for number in Number.objects.all():
        assert number.international in page
    assert "9 Feb 2023 to 9 Mar 2023" in page
    assert "Monthly fees, 2 payments" in page
    assert f"/w/acme/numbers/rent/{payment.seq}/" in text(as_owner.get("/w/acme/wallet/"))


@pytest.mark.parametrize("seq", ["1", "99", "9" * 30])
def test_what_is_no_rent_payment_is_not_found(as_owner, payment, seq):
    assert as_owner.get(f"/w/acme/numbers/rent/{seq}/").status_code == 404


@pytest.mark.parametrize("address", [OVERDUE, COSTS, UNUSED, "/w/acme/numbers/rent/2/"])
def test_outsiders_find_nothing_and_viewers_are_refused(as_outsider, as_viewer, payment, address):
    assert as_outsider.get(address).status_code == 404
    assert as_viewer.get(address).status_code == 403
    assert as_viewer.post(address).status_code == 405


def test_paying_is_for_members_who_may_and_by_post_only(as_outsider, as_viewer, as_owner, dear):
    assert as_outsider.post(PAY).status_code == 404
    assert as_viewer.post(PAY).status_code == 403
    assert as_owner.get(PAY).status_code == 405
    assert RentRun.objects.count() == 1


@pytest.mark.parametrize("address", [OVERDUE, COSTS, UNUSED, "/w/acme/numbers/rent/2/"])
def test_queries_do_not_grow_with_the_rows(
    as_owner, as_member, acme, payment, address, django_assert_max_num_queries
):
    for index in range(30):
        buy(acme, timezone.now() - timedelta(days=40, minutes=index), "30.00")
    collect_due()
    for client in (as_owner, as_member):
        client.get(address)
        with django_assert_max_num_queries(8):
            client.get(address)
