"""Several at once, told one by one; and the list as a file."""

import csv
import io
import tracemalloc
from datetime import timedelta

import pytest
from django.utils import timezone

from numbers import changes, tags
from numbers.list_models import BulkRun
from numbers.models import Number

pytestmark = pytest.mark.django_db

URL = "/w/acme/numbers/"


@pytest.fixture
def three(acme, make_number):
    return [make_number(acme, f"+1212555000{i}") for i in range(3)]


def ids(numbers) -> list[str]:
    return [number.public_id for number in numbers]


def do(client, action, numbers, **fields):
    return client.post(f"{URL}bulk/do/", {"do": action, "n": ids(numbers), **fields}, follow=True)


def test_the_confirmation_says_what_it_means_and_changes_nothing(as_owner, three):
    for action, words in (("tag", "Tags to add"), ("deactivate", "monthly fees go on"),
                          ("release", "they go to the carrier for good"),
                          ("activate", "They receive and send again")):  # fmt: skip
        page = as_owner.get(f"{URL}bulk/", {"do": action, "n": ids(three)}).content.decode()
        assert words in page
        assert "3 numbers" in page
    assert Number.objects.active().count() == 3


@pytest.mark.parametrize(("refunds", "hours", "words"), [
    (False, 24, ("For 24 hours each can be had back", "Paid days that are left are not refunded.")),
    (True, 1, ("For 1 hour each can be had back", "Paid days that are left then are refunded.")),
    (True, 0, ("at once and for good: it cannot be undone", "Paid days that are left then")),
])  # fmt: skip
def test_releasing_says_what_this_desk_does(as_owner, three, settings, refunds, hours, words):
    settings.RENT_REFUNDS_UNUSED_DAYS, settings.NUMBER_UNDO_HOURS = refunds, hours
    page = as_owner.get(f"{URL}bulk/", {"do": "release", "n": ids(three)}).content.decode()
    for sentence in words:
        assert sentence in page
    assert page.count("refunded") == 1


@pytest.mark.parametrize(("days", "words"), [
    ((None, None, 31), None),
    ((None, 29, 31), "1 of these numbers was used in the last 30 days."),
    ((0, 29, 31), "2 of these numbers were used in the last 30 days."),
])  # fmt: skip
def test_releasing_says_how_many_are_in_use(as_owner, three, days, words):
    for number, ago in zip(three, days, strict=True):
        used = None if ago is None else timezone.now() - timedelta(days=ago)
        Number.objects.filter(pk=number.pk).update(last_used_at=used)
    page = as_owner.get(f"{URL}bulk/", {"do": "release", "n": ids(three)}).content.decode()
    assert words in page if words else "in the last 30 days" not in page


def test_tags_are_added_to_all(as_member, three, owner):
    tags.set_tags(number=three[0], by=owner, names=["old"])
    page = do(as_member, "tag", three, tags="vip, Berlin").content.decode()
    assert "3 of 3 tagged" in page
    assert list(three[0].taggings.order_by("tag__name").values_list("tag__name", flat=True)) == [
        "Berlin", "old", "vip",
    ]  # fmt: skip


def test_as_many_and_long_tags_as_may_be_are_added(as_member, three):
    names = [f"{i:02} {'long ' * 6}{i:02}" for i in range(20)]
    page = do(as_member, "tag", three, tags=",".join(names)).content.decode()
    assert "3 of 3 tagged" in page
    assert three[0].taggings.count() == 20


def test_all_are_switched_off_and_on(as_member, three):
    assert "3 of 3 switched off" in do(as_member, "deactivate", three).content.decode()
    assert Number.objects.active().count() == 0
    assert "3 of 3 switched on" in do(as_member, "activate", three).content.decode()
    assert Number.objects.active().count() == 3


def test_the_summary_says_who_succeeded_and_why_not(as_owner, owner, three, simulator):
    changes.lock(number=three[1], by=owner)
    page = do(as_owner, "release", three, typed="3").content.decode()
    assert "2 of 3 released" in page
    assert "is locked against release" in page
    assert Number.objects.filter(parked_at__isnull=False).count() == 2
    run = BulkRun.objects.get()
    assert as_owner.get(f"{URL}bulk/done/{run.public_id}/").status_code == 200


def test_releasing_asks_how_many(as_owner, three, simulator):
    for count in ("", "2", "three"):
        response = do(as_owner, "release", three, typed=count)
        assert response.status_code == 422
        assert "Type 3 to release them." in response.content.decode()
    assert Number.objects.active().count() == 3


def test_a_carrier_that_holds_one_is_asked_before(as_owner, three, simulator):
    three[0].provider_sid = simulator.seed(three[0].e164, emergency_address_status="registered")
    three[0].save(update_fields=["provider_sid"])
    page = do(as_owner, "release", three, typed="3").content.decode()
    assert "2 of 3 released" in page
    assert "an emergency address is registered for it" in page


def test_nobody_waits_long_for_a_carrier_that_is_out_of_reach(
    as_owner, acme, make_number, simulator
):
    simulator.fault("timeout_before", method="GET", times=-1)
    numbers = [make_number(acme) for _ in range(40)]
    assert "40 of 40 released" in do(as_owner, "release", numbers, typed="40").content.decode()
    assert len(simulator.requests) < 20


def test_numbers_of_another_workspace_are_left_out(as_owner, three, globex, make_number):
    other = make_number(globex, "+13125550777")
    page = as_owner.get(f"{URL}bulk/", {"do": "deactivate", "n": ids([*three, other])})
    assert "+13125550777" not in page.content.decode()
    do(as_owner, "deactivate", [*three, other])
    other.refresh_from_db()
    assert other.status == "active"


def test_a_summary_of_another_workspace_is_not_here(as_owner, as_outsider, three, globex):
    do(as_owner, "deactivate", three)
    run = BulkRun.objects.get()
    assert as_outsider.get(f"/w/globex/numbers/bulk/done/{run.public_id}/").status_code == 404


@pytest.mark.parametrize("method", ["get", "post"])
def test_each_action_needs_its_permission(as_viewer, as_member, three, method):
    url = f"{URL}bulk/" if method == "get" else f"{URL}bulk/do/"
    for client, action, status in ((as_viewer, "tag", 403), (as_viewer, "release", 403),
                                   (as_member, "release", 403)):  # fmt: skip
        response = getattr(client, method)(url, {"do": action, "n": ids(three), "typed": "3"})
        assert response.status_code == status
    assert Number.objects.active().count() == 3


def test_nothing_chosen_says_so(as_owner, three):
    response = as_owner.get(f"{URL}bulk/", {"do": "tag"})
    assert response.status_code == 422
    assert "Choose at least one number." in response.content.decode()


def test_too_many_at_once_say_so(as_owner, three):
    response = as_owner.get(f"{URL}bulk/", {"do": "tag", "n": [f"x{i}" for i in range(201)]})
    assert "Choose at most 200 numbers at once." in response.content.decode()


@pytest.mark.parametrize("odd", ["\x00", "💥", "x" * 10_000, "", "../../etc"])
def test_odd_ids_are_no_numbers(as_owner, three, odd):
    for action in ("tag", "release", odd):
        assert as_owner.get(f"{URL}bulk/", {"do": action, "n": [odd]}).status_code in (302, 422)
        response = as_owner.post(f"{URL}bulk/do/", {"do": action, "n": [odd], "tags": odd})
        assert response.status_code in (302, 422)


def test_tags_that_are_not_understood_are_kept_for_mending(as_owner, three):
    response = do(as_owner, "tag", three, tags="x" * 50)
    assert response.status_code == 422
    assert "x" * 50 in response.content.decode()


def lines_of(response) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_export_has_what_the_list_has(as_viewer, acme, owner, make_number):
    number = make_number(acme, "+12125550123", friendly_name="Front desk", notes="two\nlines")
    tags.set_tags(number=number, by=owner, names=["vip", "Berlin"])
    make_number(acme, "+14165550123", country="CA")
    response = as_viewer.get(f"{URL}export/?country=US")
    assert response.headers["Content-Disposition"].startswith('attachment; filename="numbers-acme')
    header, line = lines_of(response)
    row = dict(zip(header, line, strict=True))
    assert row["number"] == "+12125550123"
    assert (row["tags"], row["notes"], row["status"]) == ("Berlin, vip", "two\nlines", "Active")
    assert (row["price a month"], row["currency"]) == ("1.38", "USD")


def test_chosen_numbers_are_exported(as_viewer, three):
    response = as_viewer.get(f"{URL}bulk/", {"do": "export", "n": ids(three[:2])})
    assert [line[0] for line in lines_of(response)[1:]] == ["+12125550000", "+12125550001"]


def test_exporting_without_a_choice_says_so(as_viewer, three):
    page = as_viewer.get(f"{URL}bulk/", {"do": "export"}, follow=True)
    assert "Choose at least one number." in page.content.decode()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_a_spreadsheet_takes_no_text_for_a_formula(as_viewer, acme, make_number, text):
    make_number(acme, friendly_name=text, notes=text)
    row = dict(zip(*lines_of(as_viewer.get(f"{URL}export/")), strict=True))
    assert row["friendly name"] == f"'{text}"
    assert row["notes"] == f"'{text}"


@pytest.mark.django_db(transaction=True)
def test_the_memory_of_an_export_does_not_grow_with_it(as_viewer, acme, make_number):
    one = make_number(acme)
    fields = [f.name for f in Number._meta.concrete_fields if not f.generated and f.name != "id"]
    same = {name: getattr(one, name) for name in fields} | {"notes": "n" * 1000}

    def add(first: int, last: int) -> None:
        Number.objects.bulk_create(
            Number(**{**same, "e164": f"+1312{i:07d}", "public_id": f"p{i}",
                      "provider_sid": f"PN{i}", "created_at": timezone.now() - timedelta(i)})
            for i in range(first, last)
        )  # fmt: skip

    def peak() -> int:
        tracemalloc.start()
        for _ in as_viewer.get(f"{URL}export/").streaming_content:
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    add(0, 1000)
    peak()
    few = peak()
    add(1000, 6000)
    assert peak() < 1.5 * few
