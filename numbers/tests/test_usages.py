"""The order of the list by who answers a number, and by what uses it."""

import pytest

from numbers import usages
from numbers.models import LONGEST_USAGE, Number
from numbers.tasks import follow_every_usage
from numbers.usages import Usage, keep_order

pytestmark = pytest.mark.django_db

URL = "/w/acme/numbers/"
TOLD: dict[str, list[tuple[str, bool]]] = {}


def told(workspace, numbers):
    """What apps above would register (``settings.NUMBER_USAGES``): see ``TOLD``."""
    return [
        Usage(number.pk, "Campaign", name, answers=answers)
        for number in numbers
        for name, answers in TOLD.get(number.e164, ())
    ]


@pytest.fixture
def numbers(acme, make_number, settings):
    settings.NUMBER_USAGES = [f"{__name__}.told"]
    TOLD.clear()
    TOLD["+12125550001"] = [("Spring", False), ("Zoe", True)]
    TOLD["+12125550002"] = [("autumn", False), ("Ann", True), ("Bob", True)]
    return [make_number(acme, f"+1212555000{i}") for i in (1, 2, 3)]


def shown(client, sort: str) -> list[str]:
    return [row.number.e164[-1] for row in client.get(f"{URL}?sort={sort}").context["rows"]]


def test_the_list_is_sorted_by_who_answers_and_by_what_uses_it(as_owner, acme, numbers):
    assert keep_order(acme, Number.objects.all()) == 2
    assert shown(as_owner, "answers") == ["3", "2", "1"]
    assert shown(as_owner, "-answers") == ["1", "2", "3"]
    assert shown(as_owner, "uses") == ["3", "2", "1"]
    assert Number.objects.get(e164="+12125550002").answered_by == "ann, bob"


def test_what_has_not_changed_is_not_written_again(acme, numbers):
    keep_order(acme, Number.objects.all())
    assert keep_order(acme, Number.objects.all()) == 0
    TOLD["+12125550001"] = []
    assert keep_order(acme, Number.objects.all()) == 1
    assert Number.objects.get(e164="+12125550001").used_by == ""


def test_numbers_of_another_workspace_are_left_alone(acme, globex, make_number, numbers):
    theirs = make_number(globex, "+13125550001")
    TOLD["+13125550001"] = [("Secret", True)]
    keep_order(acme, Number.objects.all())
    theirs.refresh_from_db()
    assert theirs.answered_by == ""


def test_a_long_name_is_kept_as_far_as_it_is_sorted_by(acme, numbers):
    TOLD["+12125550003"] = [("x" * 200, False)]
    keep_order(acme, Number.objects.all())
    assert Number.objects.get(e164="+12125550003").used_by == "x" * LONGEST_USAGE


def test_once_a_day_every_number_is_looked_at(acme, globex, make_number, numbers, monkeypatch):
    monkeypatch.setattr(usages, "AT_ONCE", 2)
    make_number(globex, "+13125550001")
    TOLD["+12125550003"] = TOLD["+13125550001"] = [("Nora", True)]
    follow_every_usage()
    assert list(Number.objects.order_by("e164").values_list("answered_by", flat=True)) == [
        "zoe", "ann, bob", "nora", "nora",
    ]  # fmt: skip
