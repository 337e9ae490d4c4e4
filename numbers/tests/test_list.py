"""The Numbers page: what it shows, finds and sorts; and what it does with odd addresses."""

import gzip
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conftest import make_member, signed_in
from numbers import tags
from numbers.columns import COLUMNS, NUMBER
from numbers.listing import ORDERS, PAGE_SIZE
from numbers.models import Number
from workspaces.models import Membership
from workspaces.permissions import Role

pytestmark = pytest.mark.django_db

URL = "/w/acme/numbers/"


def shown(response) -> list[str]:
    """The numbers in the order of the page."""
    return [row.number.e164 for row in response.context["rows"]]


@pytest.fixture
def listed(as_owner):
    def ask(address: str = "", **headers: str) -> list[str]:
        response = as_owner.get(URL + address, headers=headers)
        assert response.status_code == 200, response.status_code
        return shown(response)

    return ask


def test_the_page_shows_a_number_with_what_it_is(as_owner, acme, make_number):
    make_number(acme, "+12125550123", friendly_name="Front desk", last_used_at=timezone.now())
    as_owner.post(f"{URL}columns/", {"columns": ["name", "type", "country", "status", "payment",
                  "price", "used", "answers", "uses", "health", "capabilities"]})  # fmt: skip
    page = as_owner.get(URL).content.decode()
    for words in ("+12125550123", "Front desk", "Voice, SMS, MMS", "Local", "US · 212", "New York",
                  "Active", "$1.38", "today", "nobody yet", "nothing", "OK"):  # fmt: skip
        assert words in page


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        ("deactivated_at", "Inactive: switched off"),
        ("suspended_at", "Inactive: fee overdue"),
        ("parked_at", "Inactive: released"),
        ("vanished_at", "Inactive: not at the carrier"),
    ],
)
def test_an_inactive_number_says_why(as_owner, acme, make_number, fact, words):
    make_number(acme, **{fact: timezone.now()})
    assert words in as_owner.get(URL).content.decode()


def test_a_number_that_does_not_reach_us_yet_says_so(as_owner, acme, make_number):
    make_number(acme, webhooks_set_at=None)
    assert "Active, connecting" in as_owner.get(URL).content.decode()


def test_numbers_of_another_workspace_do_not_show(listed, acme, globex, make_number):
    make_number(globex, "+12125550999")
    make_number(acme, "+12125550123")
    assert listed() == ["+12125550123"]
    assert listed("?q=0999") == []


def test_given_back_numbers_show_only_when_asked_for(listed, acme, make_number):
    make_number(acme, "+12125550001")
    make_number(acme, "+12125550002", released_at=timezone.now())
    assert listed() == ["+12125550001"]
    assert listed("?status=released") == ["+12125550002"]


@pytest.mark.parametrize(
    "text",
    ["(212) 555-0123", "212 555", "+1212", "+1 (212) 555-01", "0123", "…0123", "**** 0123",
     "+1 212 555 0123", "001 212 555 0123", "1-212-555-0123", "555 0123", "212.555"],
)  # fmt: skip
def test_digits_are_found_in_any_written_form(listed, acme, make_number, text):
    make_number(acme, "+12125550123")
    make_number(acme, "+14165559876")
    assert listed(f"?q={text.replace('+', '%2B')}") == ["+12125550123"]


@pytest.mark.parametrize("text", ["020 7946 0958", "+44 (0)20 7946 0958", "0044 20 7946 0958",
                                  "011 44 20 7946 0958", "+44 20 7946 0958"])  # fmt: skip
def test_a_number_is_found_as_it_is_dialled_at_home_and_from_abroad(
    listed, acme, make_number, text
):
    make_number(acme, "+442079460958", country="GB", area_code="20")
    make_number(acme, "+12125550123")
    assert listed(f"?q={text.replace('+', '%2B')}") == ["+442079460958"]


def test_hidden_digits_mean_the_end_and_nothing_else(listed, acme, make_number):
    make_number(acme, "+12120123555")
    make_number(acme, "+12125550123")
    assert listed("?q=…0123") == ["+12125550123"]
    assert len(listed("?q=0123")) == 2


def test_letters_are_found_as_on_the_keys(listed, acme, make_number):
    make_number(acme, "+18003569377")
    assert listed("?q=1-800-FLOWERS") == ["+18003569377"]


@pytest.mark.parametrize("text", ["front", "FRONT DESK", "flyer", "desk flyer", "VIP", "vi", "fr"])
def test_names_notes_and_tags_are_found_by_words(listed, acme, owner, make_number, text):
    number = make_number(acme, "+12125550123", friendly_name="Front desk", notes="On the flyer")
    other = make_number(acme, "+12125550124", friendly_name="Sales")
    tags.set_tags(number=number, by=owner, names=["VIP"])
    tags.set_tags(number=other, by=owner, names=["other"])
    found = [] if text == "vi" else ["+12125550123"]
    assert listed(f"?q={text}") == (found or ["+12125550123"])


def test_what_matches_in_sql_patterns_is_taken_literally(listed, acme, make_number):
    make_number(acme, friendly_name="100% sure_thing")
    make_number(acme, friendly_name="plain")
    assert len(listed("?q=100%25")) == 1
    assert len(listed("?q=e_t")) == 1
    assert listed("?q=%25%25%25") == []


def test_each_filter_keeps_only_what_it_names(listed, acme, owner, make_number):
    now = timezone.now()
    plain = make_number(acme, "+12125550001", last_used_at=now)
    special = make_number(
        acme, "+498005550002", country="DE", number_type="toll_free", capabilities=["voice"],
        deactivated_at=now, outbound_stopped_at=now, last_used_at=None,
    )  # fmt: skip
    tags.set_tags(number=special, by=owner, names=["VIP"])
    for address in ("status=inactive", "status=off", "type=toll_free", "country=DE", "unused=30",
                    "unused=never", "problem=any", "problem=outbound", "tag=vip"):  # fmt: skip
        assert listed(f"?{address}") == [special.e164], address
    for address in ("status=active", "type=local", "country=US", "can=sms", "can=sms&can=mms"):
        assert listed(f"?{address}") == [plain.e164], address
    assert listed("?can=voice&country=US&status=active") == [plain.e164]


def test_a_number_bought_lately_is_not_called_unused(listed, acme, make_number):
    make_number(acme, created_at=timezone.now() - timedelta(days=3))
    assert listed("?unused=30") == []
    assert len(listed("?unused=never")) == 1


@pytest.mark.parametrize("key", ORDERS)
@pytest.mark.parametrize("sign", ["", "-"])
def test_pages_of_every_order_follow_without_gap_or_repeat(as_owner, acme, make_number, key, sign):
    now = timezone.now()
    for i in range(2 * PAGE_SIZE + 7):
        make_number(
            acme, friendly_name=f"Name {i % 9}", area_code=str(200 + i % 5),
            number_type="toll_free" if i % 3 else "local", monthly_price=1 + i % 4,
            deactivated_at=now if i % 5 == 0 else None, created_at=now - timedelta(days=i // 10),
            last_used_at=now - timedelta(days=i % 6) if i % 4 else None,
            webhooks_set_at=None if i % 7 == 0 else now, paid_until=now + timedelta(days=i % 11),
            capabilities=["voice"] if i % 2 else ["sms", "voice"],
            answered_by=["", "voicemail", "+1 212-555-0199"][i % 3], used_by=f"campaign {i % 8}",
        )  # fmt: skip
    address, seen = f"?sort={sign}{key}", []
    for _ in range(4):
        response = as_owner.get(URL + address)
        seen += shown(response)
        address = f"?{response.context['more']}"
        if address == "?":
            break
    assert len(seen) == len(set(seen)) == 2 * PAGE_SIZE + 7
    everything = Number.objects.for_workspace(acme)
    columns = [*ORDERS[key].columns]
    wanted = everything.order_by(*(c.desc() if sign else c.asc() for c in columns))
    values = list(wanted.annotate(v=columns[0]).values_list("v", flat=True))
    by_number = dict(everything.annotate(v=columns[0]).values_list("e164", "v"))
    assert [by_number[e164] for e164 in seen] == values


@pytest.mark.parametrize("column", [NUMBER, *COLUMNS], ids=lambda column: column.key)
def test_every_column_can_be_sorted_by_its_head(as_owner, acme, make_number, column):
    make_number(acme)
    as_owner.post(f"{URL}columns/", {"columns": [column.key]})
    for sort in (column.order, f"-{column.order}"):
        heads = as_owner.get(f"{URL}?sort={sort}").context["heads"]
        assert [head["sorted"] for head in heads if head["key"] == column.key] == [
            "descending" if sort.startswith("-") else "ascending"
        ]


def test_pages_of_a_tag_follow_without_gap_or_repeat(as_owner, acme, owner, make_number):
    for i in range(PAGE_SIZE + 9):
        number = make_number(acme)
        if i % 10:
            tags.set_tags(number=number, by=owner, names=["VIP", "second"])
    first = as_owner.get(f"{URL}?tag=VIP")
    second = as_owner.get(f"{URL}?{first.context['more']}")
    seen = shown(first) + shown(second)
    assert len(seen) == len(set(seen)) == 53
    assert first.context["page"].found == 53


def test_the_count_stops_at_a_thousand(as_owner, acme, make_number):
    one = make_number(acme)
    fields = [f.name for f in Number._meta.concrete_fields if not f.generated and f.name != "id"]
    same = {name: getattr(one, name) for name in fields}
    Number.objects.bulk_create(
        Number(**{**same, "e164": f"+1312{i:07d}", "public_id": f"p{i}", "provider_sid": f"PN{i}"})
        for i in range(1000)
    )
    page = as_owner.get(URL).content.decode()
    assert "1,000+ numbers" in page


def test_the_query_count_does_not_grow_with_rows(as_owner, acme, owner, make_number):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert as_owner.get(URL).status_code == 200
        return len(queries)

    tags.set_tags(number=make_number(acme), by=owner, names=["VIP"])
    as_owner.get(URL)
    few = count()
    for _ in range(PAGE_SIZE + 5):
        tags.set_tags(number=make_number(acme), by=owner, names=["VIP", "more"])
    assert count() == few <= 8


def test_load_more_appends_rows_only(as_owner, acme, make_number):
    for _ in range(PAGE_SIZE + 2):
        make_number(acme)
    more = as_owner.get(URL).context["more"]
    response = as_owner.get(
        f"{URL}?{more}", headers={"HX-Request": "true", "HX-Target": "more-numbers"}
    )
    page = response.content.decode()
    assert page.lstrip().startswith("<tbody")
    assert len(shown(response)) == 2
    assert "<html" not in page


def test_the_list_alone_is_sent_to_htmx(as_owner, acme, make_number):
    make_number(acme)
    headers = {"HX-Request": "true", "HX-Target": "number-list"}
    page = as_owner.get(URL, headers=headers).content.decode()
    assert page.lstrip().startswith('<div id="number-list"')
    assert "<html" not in page


def test_chosen_columns_are_remembered_in_every_workspace(
    as_owner, owner, globex, acme, make_number
):
    make_number(acme)
    Membership.objects.create(workspace=globex, user=owner, role=Role.OWNER)
    make_number(globex)
    response = as_owner.post(f"{URL}columns/", {"columns": ["used"], "back": f"{URL}?sort=name"})
    assert response.headers["Location"] == f"{URL}?sort=name"
    for url in (URL, "/w/globex/numbers/"):
        assert [c.key for c in as_owner.get(url).context["columns"]] == ["used"]


def test_back_leads_to_the_list_and_nowhere_else(as_owner, acme):
    """``home`` and ``it's`` are read as the names of pages by Django's own redirect."""
    for back in (
        "https://evil.test/",
        "//evil.test",
        "javascript:alert(1)",
        "\x00",
        "home",
        "it's",
        f"{URL}x",
        "/w/globex/numbers/?q=1",
    ):
        response = as_owner.post(f"{URL}columns/", {"columns": ["used"], "back": back})
        assert response.headers["Location"] == URL


def test_a_number_of_another_workspace_of_the_same_person_is_hinted_at(
    as_owner, owner, acme, globex, make_number
):
    make_number(acme)
    number = make_number(globex, "+13125550777")
    assert "Globex" not in as_owner.get(f"{URL}?q=3125550777").content.decode()
    Membership.objects.create(workspace=globex, user=owner, role=Role.VIEWER)
    page = as_owner.get(f"{URL}?q=(312) 555-0777").content.decode()
    assert "+13125550777 is in <strong>Globex</strong>" in page
    assert f"/w/globex/numbers/{number.public_id}/" in page


def test_two_digits_are_too_few_for_a_hint(as_owner, owner, globex, make_number):
    Membership.objects.create(workspace=globex, user=owner, role=Role.VIEWER)
    make_number(globex, "+13125550777")
    assert "+13125550777" not in as_owner.get(f"{URL}?q=77").content.decode()


def test_an_empty_workspace_says_what_to_do(as_owner, acme):
    page = as_owner.get(URL).content.decode()
    assert "Acme has no numbers yet" in page
    assert "/w/acme/numbers/buy/" in page


ODD = ["%00", "%F0%9F%98%80", "x" * 10_000, "'; DROP TABLE numbers_number", "..%2F", "%FF%FE",
       "{{7*7}}", "<script>alert(1)</script>", "-1", "9" * 400]  # fmt: skip
PARAMETERS = ["q", "status", "type", "country", "can", "tag", "unused", "problem", "sort", "after",
              "unknown"]  # fmt: skip


@pytest.mark.parametrize("parameter", PARAMETERS)
@pytest.mark.parametrize("value", ODD)
def test_odd_parameters_get_a_page(as_owner, acme, globex, make_number, parameter, value):
    make_number(acme)
    make_number(globex, "+13125550777")
    for page in (URL, f"{URL}export/", f"{URL}bulk/"):
        response = as_owner.get(f"{page}?{parameter}={value}")
        assert response.status_code in (200, 302, 422), (page, parameter, value)
        if not response.streaming:
            assert "+13125550777" not in response.content.decode()
            assert "<script>alert(1)" not in response.content.decode()


def test_a_filter_that_is_not_understood_lists_nothing(
    as_owner, acme, globex, outsider, make_number
):
    make_number(acme, "+12125550123")
    tags.set_tags(number=make_number(globex), by=outsider, names=["Secret"])
    response = as_owner.get(f"{URL}?tag=Secret")
    assert response.status_code == 422
    page = response.content.decode()
    assert "There is no tag “Secret” in this workspace." in page
    assert "+12125550123" not in page


@pytest.mark.parametrize(
    "place", ["", "W10", "bnVsbA", "!!!", "WyIyMDI2LTAxLTAxVDAwOjAwOjAwKzAwOjAwIiwieCJd"]
)
def test_a_forged_place_shows_a_page(as_owner, acme, globex, make_number, place):
    number = make_number(acme)
    make_number(globex, "+13125550777")
    response = as_owner.get(f"{URL}?after={place}")
    assert response.status_code == 200
    assert "+13125550777" not in response.content.decode()
    assert set(shown(response)) <= {number.e164}


def test_a_place_of_another_workspace_shows_nothing_of_it(as_owner, acme, globex, make_number):
    for _ in range(PAGE_SIZE + 3):
        make_number(globex)
    make_number(acme, "+12125559999")
    member = make_member(globex, Role.OWNER, "second@globex.test")
    more = signed_in(member).get("/w/globex/numbers/").context["more"]
    assert more
    response = as_owner.get(f"{URL}?{more}")
    assert response.status_code == 200
    assert set(shown(response)) <= {"+12125559999"}


@pytest.mark.parametrize("page", ["", "export/", "bulk/?do=tag&n=x"])
def test_outsiders_find_no_such_page(as_outsider, acme, page):
    assert as_outsider.get(URL + page).status_code == 404


def test_a_viewer_sees_the_list_without_boxes(as_viewer, acme, make_number):
    make_number(acme)
    page = as_viewer.get(URL).content.decode()
    assert "+1212" in page
    assert 'name="n"' not in page


def test_the_wrong_method_is_refused(as_owner, acme):
    assert as_owner.post(URL).status_code == 405
    assert as_owner.get(f"{URL}columns/").status_code == 405


def test_an_order_that_is_still_checked_is_told_of(as_owner, acme, owner, quote, simulator):
    from numbers.purchase import purchase_number

    simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers")
    order = purchase_number(workspace=acme, by=owner, quote=quote)
    page = as_owner.get(URL).content.decode()
    assert order.reference in page
    assert "the carrier has still to confirm it" in page


def test_nobody_else_s_order_is_told_of(as_outsider, acme, owner, quote, globex, simulator):
    from numbers.purchase import purchase_number

    simulator.fault("answer_lost", method="POST", path_contains="IncomingPhoneNumbers")
    order = purchase_number(workspace=acme, by=owner, quote=quote)
    assert order.reference not in as_outsider.get("/w/globex/numbers/").content.decode()


def test_the_page_is_small(as_owner, acme, make_number):
    for i in range(PAGE_SIZE + 1):
        make_number(acme, friendly_name=f"A name of usual length {i * 7919 % 1000}")
    content = as_owner.get(URL).content
    assert len(gzip.compress(content)) < 10 * 1024
    assert not re.search(rb"\sstyle=", content)
