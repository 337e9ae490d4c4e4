"""The search of the wizard: GET /w/<workspace>/numbers/buy/"""

import re
from datetime import timedelta

import pytest
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numbers import catalogue
from numbers.models import CountryOffer, NumberOrder
from numbers.search import MOST_ASKED
from wallet.models import Entry

pytestmark = pytest.mark.django_db

BUY = "/w/acme/numbers/buy/"
HOSTILE = ["\0", "2\x0012", "😀" * 30, "9" * 10_000, "<script>alert(1)</script>", "' OR 1=1 --"]


@pytest.fixture(autouse=True)
def known_countries(simulator, db):
    """As on a site that has run for a while: countries and prices are rows."""
    catalogue.refresh_everything()


def htmx(client, address, target):
    return client.get(address, headers={"HX-Request": "true", "HX-Target": target})


def test_it_opens_with_the_form_and_asks_the_provider_nothing(as_owner, simulator):
    asked = len(simulator.requests)
    page = as_owner.get(BUY)
    assert page.status_code == 200
    assert "What to look for" in page.text
    assert len(simulator.requests) == asked


def test_a_search_lists_what_there_is_with_its_price(as_owner):
    page = as_owner.get(BUY, {"country": "US", "area_code": "212"})
    assert page.status_code == 200
    assert page.text.count("Review<span") == 20
    for words in ("+1 212-746-6496", "New York, NY", "Local", "Voice: yes", "$1.38 due today"):
        assert words in page.text


def test_it_says_what_twilio_does_with_fax(as_owner):
    page = as_owner.get(BUY, {"country": "US", "area_code": "212"})
    assert "Fax: reported by the carrier, but Twilio has not delivered faxes" in page.text


def test_htmx_gets_the_search_alone_and_it_is_in_the_page(as_owner):
    search = {"country": "US", "area_code": "212"}
    fragment = htmx(as_owner, f"{BUY}?country=US&area_code=212", "search")
    assert fragment.text.startswith('<div id="search"')
    assert fragment.text.strip() in as_owner.get(BUY, search).text


def test_htmx_shows_the_address_to_share_without_empty_fields(as_owner):
    fragment = htmx(
        as_owner, f"{BUY}?country=US&area_code=212&type=&pattern=&where=anywhere", "search"
    )
    assert fragment.headers["HX-Push-Url"] == "?country=US&area_code=212"


def test_htmx_gets_the_note_on_an_area_code_alone(as_owner):
    note = htmx(as_owner, f"{BUY}?country=US&area_code=212", "area-code-note")
    assert note.text.startswith('<div id="area-code-note"')
    assert "New York, NY" in note.text


@pytest.mark.parametrize(
    ("country", "code", "words"),
    [
        ("US", "416", "416 is Toronto, in Canada."),
        ("CA", "212", "212 is New York, in the United States."),
        ("US", "999", "999 is not an area code in the United States."),
        ("US", "21", "Area codes in the United States have three digits, for example 212."),
        ("US", "abc", "An area code is made of digits, for example 212."),
        ("DE", "1234567", "An area code has at most six digits."),
    ],
)
def test_a_wrong_area_code_is_explained_and_kept(as_owner, simulator, country, code, words):
    asked = len(simulator.requests)
    page = as_owner.get(BUY, {"country": country, "area_code": code})
    assert page.status_code == 422
    assert words in page.text
    assert f'name="area_code" value="{code}"' in page.text
    assert len(simulator.requests) == asked


def test_an_area_code_may_be_typed_as_people_write_it(as_owner):
    page = as_owner.get(BUY, {"country": "US", "area_code": " (212) "})
    assert page.text.count("Review<span") == 20


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("country", "XX", "Choose a country."),
        ("country", "", "Choose a country."),
        ("type", "mobile", "Mobile numbers are not sold in the United States."),
        ("type", "pager", "Choose one of these types."),
        ("capabilities", "telepathy", "Choose among these four."),
        ("where", "middle", "Choose one of these places."),
        ("pattern", "7", "Give at least two digits or letters."),
        ("pattern", "12345678901", "Give at most ten digits or letters."),
        ("pattern", "7-ü", "Use digits and the letters A to Z only."),
    ],
)
def test_what_cannot_be_searched_for_is_told_beside_its_field(as_owner, field, value, words):
    page = as_owner.get(BUY, {"country": "US", field: value})
    assert page.status_code == 422
    assert words in page.text
    assert 'data-announce="The search has a problem' in page.text


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "field", ["country", "area_code", "type", "capabilities", "pattern", "where"]
)
def test_hostile_input_gives_a_page_and_reaches_nobody(as_owner, simulator, field, value):
    asked, entries = len(simulator.requests), Entry.objects.count()
    page = as_owner.get(BUY, {"country": "US", field: value})
    assert page.status_code == 422
    assert "<script>alert" not in page.text
    assert len(simulator.requests) == asked
    assert (Entry.objects.count(), NumberOrder.objects.count()) == (entries, 0)


def test_unknown_parameters_are_ignored(as_owner):
    assert as_owner.get(BUY, {"country": "US", "area_code": "212", "\0": "\0"}).status_code == 200


def test_the_pattern_is_marked_where_it_was_asked_for(as_owner):
    page = as_owner.get(BUY, {"country": "US", "area_code": "212", "pattern": "at", "where": "end"})
    numbers = re.findall(r'<span class="number">(.*?)</span>', page.text)
    assert numbers
    assert all(number.endswith("<mark>28</mark>") for number in numbers)


def test_each_suggestion_finds_something(as_owner):
    page = as_owner.get(BUY, {"country": "US", "area_code": "310"})
    suggestions = page.context["suggestions"]
    assert "424, the same area" in [label for label, _ in suggestions]
    for _label, query in suggestions:
        assert "Review<span" in as_owner.get(f"{BUY}?{query}").text


def test_suggestions_hold_neighbours_the_whole_country_and_another_type(as_owner):
    page = as_owner.get(BUY, {"country": "US", "area_code": "310"})
    assert [label for label, _ in page.context["suggestions"]] == [
        "424, the same area",
        "213, Los Angeles (CA)",
        "Anywhere in the United States",
        "Toll-free in the United States",
    ]


def test_suggestions_for_many_wishes_ask_a_bounded_number_of_times(as_owner, simulator):
    asked = len(simulator.requests)
    wishes = {"area_code": "310", "pattern": "28", "where": "end", "capabilities": "sms"}
    page = as_owner.get(BUY, {"country": "US", **wishes})
    labels = [label for label, _ in page.context["suggestions"]]
    assert "Anywhere in the United States" in labels
    assert "Toll-free in the United States" in labels
    assert len(simulator.requests) - asked <= 1 + MOST_ASKED


def test_a_provider_that_is_down_is_told_and_never_shown_as_nothing_found(as_owner, simulator):
    simulator.fault("unavailable", path_contains="AvailablePhoneNumbers/", times=-1)
    page = as_owner.get(BUY, {"country": "US", "area_code": "212"})
    assert page.status_code == 503
    assert "The carrier does not answer" in page.text
    assert "Nothing was charged." in page.text
    assert "No numbers found" not in page.text


def test_a_type_that_could_not_be_asked_for_is_told(as_owner, simulator):
    simulator.fault("unavailable", path_contains="TollFree", times=-1)
    page = as_owner.get(BUY, {"country": "US"})
    assert page.status_code == 200
    assert "Toll-free numbers could not be asked for just now" in page.text
    assert "Review<span" in page.text


def test_wrong_credentials_are_told_without_the_words_of_the_provider(as_owner, simulator):
    simulator.fault("unauthorized", times=-1)
    page = as_owner.get(BUY, {"country": "US", "area_code": "212"})
    assert page.status_code == 503
    assert "The Twilio credentials of this site are missing or wrong." in page.text
    assert "Authenticate" not in page.text
    assert "20003" not in page.text


def test_the_last_known_prices_stay_while_the_provider_is_down(as_owner, simulator):
    CountryOffer.objects.update(refreshed_at=timezone.now() - timedelta(days=2))
    simulator.fault("unavailable", path_contains="PhoneNumbers/Countries", times=-1)
    page = as_owner.get(BUY, {"country": "US", "area_code": "212"})
    assert page.status_code == 200
    assert "$1.38 due today" in page.text


def test_a_member_and_a_viewer_may_look(as_member, as_viewer):
    for client in (as_member, as_viewer):
        page = client.get(BUY, {"country": "US", "area_code": "212"})
        assert page.status_code == 200
        assert "Buying needs the permission <strong>numbers_create</strong>." in page.text


def test_whoever_is_not_signed_in_is_led_to_the_login_and_back(client):
    answer = client.get(f"{BUY}?country=US")
    assert answer.status_code == 302
    assert answer.url == "/accounts/login/?next=/w/acme/numbers/buy/%3Fcountry%3DUS"


def test_an_outsider_finds_nothing_there(as_outsider, acme):
    assert as_outsider.get(BUY).status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_is_only_for_reading(as_owner, method):
    assert getattr(as_owner, method)(BUY).status_code == 405


def test_the_queries_are_few_and_do_not_grow_with_the_results(
    as_owner, django_assert_max_num_queries, connection_queries
):
    as_owner.get(BUY)
    with django_assert_max_num_queries(8):
        as_owner.get(BUY, {"country": "US"})
    one = connection_queries(
        BUY, {"country": "US", "area_code": "212", "pattern": "7466496", "where": "end"}
    )
    many = connection_queries(BUY, {"country": "US"})
    assert one == many


@pytest.fixture
def connection_queries(as_owner):
    """How many queries an address takes."""
    from django.db import connection

    def count(address, fields):
        with CaptureQueriesContext(connection) as captured:
            as_owner.get(address, fields)
        return len(captured)

    return count
