"""The review before a purchase: GET /w/<workspace>/numbers/buy/review/"""

from decimal import Decimal

import pytest
import time_machine

from numbers import catalogue
from numbers.models import CountryOffer, NumberOrder
from numbers.tests.test_buy_page import HOSTILE
from wallet.models import Entry

pytestmark = pytest.mark.django_db

REVIEW = "/w/acme/numbers/buy/review/"
E164 = "+12127466496"
CHOSEN = {"country": "US", "area_code": "212", "number": E164, "number_type": "local"}
TOLL_FREE = {"country": "US", "number": "+18003465372", "number_type": "toll_free"}
GERMAN = {"country": "DE", "type": "local", "area_code": "30", "number_type": "local"}


@pytest.fixture(autouse=True)
def known_countries(simulator, db):
    catalogue.refresh_everything()


@pytest.fixture
def german_number(as_owner):
    found = as_owner.get("/w/acme/numbers/buy/", GERMAN).context["found"]
    return found.results[0].number.e164


def test_it_shows_everything_that_will_happen(as_owner):
    with time_machine.travel("2026-01-31 12:00 UTC"):
        page = as_owner.get(REVIEW, CHOSEN)
    assert page.status_code == 200
    for words in ("+1 212-746-6496", "New York, NY, United States", "Local", "Voice: yes",
                  "Due today", "$1.38", "28 Feb 2026", "$50.00", "$48.62", "Starts in",
                  "Acme", "Confirm purchase for $1.38"):  # fmt: skip
        assert words in page.text


def test_the_next_payment_is_told_in_the_time_zone_of_the_workspace(as_owner):
    with time_machine.travel("2026-03-15 02:00 UTC"):  # the evening before in New York
        page = as_owner.get(REVIEW, CHOSEN)
    assert "14 Apr 2026" in page.text


def test_it_leads_back_to_the_results_it_came_from(as_owner):
    page = as_owner.get(REVIEW, CHOSEN | {"capabilities": ["sms", "voice"], "pattern": "64"})
    back = "country=US&amp;area_code=212&amp;capabilities=sms&amp;capabilities=voice&amp;pattern=64"
    assert f"/w/acme/numbers/buy/?{back}" in page.text


def test_it_writes_nothing_and_reserves_nothing(as_owner, simulator):
    entries = Entry.objects.count()
    as_owner.get(REVIEW, CHOSEN)
    assert Entry.objects.count() == entries
    assert not NumberOrder.objects.exists()
    assert {request["method"] for request in simulator.requests} == {"GET"}


def test_each_review_has_a_key_of_its_own(as_owner):
    keys = {as_owner.get(REVIEW, CHOSEN).context["quote"].key for _ in range(2)}
    assert len(keys) == 2


def test_too_little_money_tells_what_is_missing_and_where_to_add_it(as_outsider):
    page = as_outsider.get(REVIEW.replace("acme", "globex"), TOLL_FREE)
    assert page.status_code == 200
    assert "$0.58 is missing" in page.text
    assert "Nothing was charged. Add $0.58 or more" in " ".join(page.text.split())
    assert "Confirm purchase" not in page.text
    assert "missing=0.58&amp;next=%2Fw%2Fglobex%2Fnumbers%2Fbuy%2Freview%2F" in page.text


@pytest.mark.parametrize("client_of", ["as_member", "as_viewer"])
def test_without_the_permission_there_is_no_form_but_someone_to_ask(request, owner, client_of):
    page = request.getfixturevalue(client_of).get(REVIEW, CHOSEN)
    assert page.status_code == 200
    assert "Confirm purchase" not in page.text
    assert "numbers_create" in page.text
    assert 'href="mailto:owner@acme.test">Olivia</a>' in page.text
    assert "Nothing was charged." in page.text


def test_a_viewer_does_not_see_the_balance(as_viewer):
    page = as_viewer.get(REVIEW, CHOSEN)
    assert "Balance" not in page.text
    assert "$50.00" not in page.text


def test_a_number_that_is_gone_is_told(as_owner, simulator):
    simulator.seed(E164, account="AC" + "2" * 32)
    page = as_owner.get(REVIEW, CHOSEN)
    assert page.status_code == 422
    assert "Someone else just took this number" in page.text
    assert "Nothing was charged." in page.text
    assert 'href="/w/acme/numbers/buy/?country=US&amp;area_code=212">Search again' in page.text


def test_a_number_that_is_not_what_the_address_says_is_not_found(as_owner):
    page = as_owner.get(REVIEW, CHOSEN | {"number_type": "toll_free", "area_code": ""})
    assert page.status_code == 422
    page = as_owner.get(REVIEW, CHOSEN | {"country": "DE", "area_code": ""})
    assert page.status_code == 422


def test_a_country_that_asks_for_an_address_is_refused_here(as_owner, german_number):
    page = as_owner.get(REVIEW, GERMAN | {"number": german_number})
    assert "Numbers of this kind in Germany need a registered address." in page.text
    assert "Confirm purchase" not in page.text


def test_with_the_address_on_file_it_can_be_confirmed(as_owner, german_number, settings):
    settings.TWILIO_ADDRESS_SIDS = {"DE": "AD" + "1" * 32}
    page = as_owner.get(REVIEW, GERMAN | {"number": german_number})
    assert "An address in the same area, which is on file" in page.text
    assert "Confirm purchase" in page.text


def test_a_type_without_a_price_is_not_sold(as_owner, simulator):
    CountryOffer.objects.filter(country="US", number_type="local").update(provider_price=None)
    page = as_owner.get(REVIEW, CHOSEN)
    assert page.status_code == 422
    assert "The carrier tells no price for Local numbers in the United States" in page.text


def test_a_provider_that_is_down_is_told(as_owner, simulator):
    simulator.fault("unavailable", times=-1)
    page = as_owner.get(REVIEW, CHOSEN)
    assert page.status_code == 503
    assert "The carrier does not answer" in page.text


def test_a_provider_that_is_down_before_anything_is_known_is_told(as_owner, simulator):
    CountryOffer.objects.all().delete()
    simulator.fault("unavailable", times=-1)
    page = as_owner.get(REVIEW, CHOSEN)
    assert page.status_code == 503
    assert "number=%2B12127466496" in page.text  # try again


def test_an_address_without_a_number_leads_to_the_search(as_owner):
    answer = as_owner.get(REVIEW, {"country": "US"})
    assert (answer.status_code, answer.url) == (302, "/w/acme/numbers/buy/?country=US")


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("field", ["country", "number", "number_type", "area_code", "pattern"])
def test_hostile_input_leads_to_the_search(as_owner, field, value):
    answer = as_owner.get(REVIEW, CHOSEN | {field: value})
    assert (answer.status_code, answer.url) == (302, "/w/acme/numbers/buy/")


def test_an_outsider_finds_nothing_there(as_outsider, acme):
    assert as_outsider.get(REVIEW, CHOSEN).status_code == 404


def test_whoever_is_not_signed_in_is_led_to_the_login(client):
    assert client.get(REVIEW, CHOSEN).url.startswith("/accounts/login/?next=/w/acme/numbers/buy/")


def test_it_is_only_for_reading(as_owner):
    assert as_owner.post(REVIEW, CHOSEN).status_code == 405


def test_the_queries_are_few(as_owner, django_assert_max_num_queries):
    as_owner.get(REVIEW, CHOSEN)
    with django_assert_max_num_queries(8):
        as_owner.get(REVIEW, CHOSEN)


def test_a_price_rule_of_the_admin_is_what_it_costs(as_owner):
    from numbers.models import PriceRule

    PriceRule.objects.create(country="US", number_type="local", fixed_price=Decimal("3.50"))
    assert "Confirm purchase for $3.50" in as_owner.get(REVIEW, CHOSEN).text
