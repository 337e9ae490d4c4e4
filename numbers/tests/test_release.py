"""Releasing: said before, parked and undone identically, given back until it is confirmed."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from numbers import changes, give_back, release, tags
from numbers.list_models import Tagging
from numbers.models import Number, PaymentPlace, RentDue
from numbers.number_refusals import NumberIsReleased, NumberLocked, UndoTooLate
from numbers.tests.test_number_page import told_of_traffic, used_in_a_campaign
from telephony.twiml import Greeting
from workspaces.models import AuditEvent, Notice, User

pytestmark = pytest.mark.django_db(transaction=True)


def url_of(number: Number, page: str = "release/") -> str:
    return f"/w/acme/numbers/{number.public_id}/{page}"


def facts_of(number: Number) -> dict:
    """Every column of its row, of its rent and of its place in the list, its tags, and every
    route that it has or had.
    """
    from interactions.models import Route

    return {
        "number": Number.objects.filter(pk=number.pk).values().get(),
        "rent": RentDue.objects.filter(number=number).values().get(),
        "place": PaymentPlace.objects.filter(number=number).values().get(),
        "tags": sorted(Tagging.objects.filter(number=number).values_list("tag__name", flat=True)),
        "routes": list(Route.objects.filter(number=number).order_by("pk").values()),
    }


def answer_with_voicemail(number: Number, by: User) -> None:
    from interactions import plans, routing

    here = {"workspace": number.workspace, "by": by, "number": number}
    voicemail = plans.Answer(kind=plans.Answers.VOICEMAIL, greeting=Greeting(text="Speak now."))
    routing.save_voice_route(**here, plan=plans.VoicePlan(voicemail))
    routing.save_message_route(**here, plan=plans.MessagePlan(reply="We call you back."))


def sweep() -> int:
    """What beat does every minute. Returns how many were given back."""
    release.park_due()
    release.decide_due()
    return give_back.give_back_due()


def later(**time) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(**time))


@pytest.fixture
def released(as_owner, owned):
    response = as_owner.post(url_of(owned), {"when": "now", "digits": "0123"})
    assert response.status_code == 302
    owned.refresh_from_db()
    return owned


def test_the_page_says_what_will_break(as_owner, owned, settings):
    settings.NUMBER_USAGES = [f"{used_in_a_campaign.__module__}.used_in_a_campaign"]
    settings.NUMBER_TRAFFIC = [f"{told_of_traffic.__module__}.told_of_traffic"]
    page = as_owner.get(url_of(owned)).content.decode()
    for words in ("Nobody answers calls.", "Night desk", "12 calls and 3 messages",
                  "10 days that you do not get back", "24 hours", "last four digits"):  # fmt: skip
        assert words in page


@pytest.mark.parametrize(("hours", "words"), [(1, "1 hour"), (48, "48 hours")])
def test_it_is_said_for_how_long_it_can_be_undone(as_owner, owned, settings, hours, words):
    settings.NUMBER_UNDO_HOURS = hours
    assert f"For {words} you can undo it" in as_owner.get(url_of(owned)).content.decode()
    page = as_owner.post(url_of(owned), {"when": "now", "digits": "0123"}, follow=True)
    assert f"It can be undone for {words}." in page.content.decode()


def test_where_nothing_can_be_undone_nobody_is_told_so(as_owner, owned, settings, simulator):
    settings.NUMBER_UNDO_HOURS = 0
    page = as_owner.get(url_of(owned)).content.decode()
    assert "at once and for good: it cannot be undone" in page
    page = as_owner.post(url_of(owned), {"when": "now", "digits": "0123"}, follow=True)
    page = page.content.decode()
    assert "It goes back to the carrier now." in page
    assert "It goes back to the carrier any moment now." in page
    assert "Undo the release" not in page
    assert "and that cannot be undone." in Notice.objects.get().body
    assert sweep() == 1


def test_released_now_it_is_parked_and_can_be_undone(released, simulator):
    assert (released.status, released.inactive_because) == ("inactive", "parked")
    assert len(simulator.owned()) == 1
    assert AuditEvent.objects.get().action == "number.parked"
    assert "can be undone" in Notice.objects.get().body


def test_undoing_restores_everything_field_by_field(as_owner, owner, owned, simulator):
    changes.rename(number=owned, by=owner, name="Sales")
    changes.write_notes(number=owned, by=owner, notes="On the flyer")
    changes.deactivate(number=owned, by=owner)
    tags.set_tags(number=owned, by=owner, names=["vip", "Berlin"])
    answer_with_voicemail(owned, owner)
    before, at_carrier = facts_of(owned), simulator.owned()
    assert (len(before["routes"]), before["rent"]["billed"]) == (2, True)
    as_owner.post(url_of(owned), {"when": "now", "digits": "0123"})
    parked = facts_of(owned)
    assert parked["number"]["parked_at"] and not parked["rent"]["billed"]
    with later(hours=23):
        sweep()
        as_owner.post(url_of(owned, "release/undo/"))
    assert facts_of(owned) == before
    assert simulator.owned() == at_carrier
    assert AuditEvent.objects.order_by("pk").last().action == "number.release_undone"


def test_undoing_leaves_a_schedule_that_was_there_before(as_owner, owner, owned, simulator):
    release.schedule_release(number=owned, by=owner, last_digits="0123")
    before = facts_of(owned)
    as_owner.post(url_of(owned), {"when": "now", "digits": "0123"})
    as_owner.post(url_of(owned, "release/undo/"))
    assert facts_of(owned) == before


def test_after_a_day_it_is_given_back(released, simulator):
    sweep()
    assert len(simulator.owned()) == 1
    with later(hours=24, seconds=1):
        assert sweep() == 1
        assert sweep() == 0
    released.refresh_from_db()
    assert released.released_at
    assert simulator.owned() == []
    assert AuditEvent.objects.order_by("pk").last().action == "number.released"


@pytest.mark.parametrize("fault", ["server_error", "answer_lost", "timeout_before", "unauthorized",
                                   "rate_limited", "error_after"])  # fmt: skip
def test_a_carrier_that_fails_is_asked_until_it_confirms(released, simulator, fault):
    simulator.fault(fault, method="DELETE")
    with later(hours=25):
        sweep()
        released.refresh_from_db()
        assert released.released_at is None
    with later(hours=25, minutes=10):
        assert sweep() == 1
    assert simulator.owned() == []


def test_once_the_carrier_is_asked_nothing_is_undone(as_owner, owner, released, simulator):
    simulator.fault("server_error", method="DELETE")
    with later(hours=25):
        sweep()
        with pytest.raises(UndoTooLate):
            release.undo_release(number=released, by=owner)
        response = as_owner.post(url_of(released, "release/undo/"))
    assert response.status_code == 422
    assert "being given back to the carrier already" in response.content.decode()


def test_undo_is_possible_as_long_as_nobody_has_asked_the_carrier(owner, released):
    """The sweep was down: the day is over, and the number still here."""
    with later(hours=30):
        release.undo_release(number=released, by=owner)
        sweep()
    released.refresh_from_db()
    assert (released.status, released.released_at) == ("active", None)


def test_given_back_is_final_even_by_hand(released):
    with later(hours=25):
        sweep()
    with pytest.raises(IntegrityError), transaction.atomic():
        Number.objects.update(released_at=None)


def test_at_the_end_of_the_paid_month_it_works_until_then(as_owner, owned, simulator):
    as_owner.post(url_of(owned), {"when": "later", "digits": "0123"})
    owned.refresh_from_db()
    assert (owned.status, owned.release_at) == ("active", owned.paid_until)
    with later(days=9):
        release.park_due()
    owned.refresh_from_db()
    assert owned.parked_at is None
    with later(days=11):
        release.park_due()
        release.park_due()
    owned.refresh_from_db()
    assert owned.inactive_because == "parked"
    assert AuditEvent.objects.filter(action="number.parked").count() == 1
    with later(days=12, hours=1):
        sweep()
    assert simulator.owned() == []


def test_a_scheduled_release_is_cancelled(as_owner, owned):
    before = facts_of(owned)
    as_owner.post(url_of(owned), {"when": "later", "digits": "0123"})
    as_owner.post(url_of(owned, "release/cancel/"))
    assert facts_of(owned) == before
    with later(days=11):
        release.park_due()
    owned.refresh_from_db()
    assert owned.status == "active"


def test_undoing_a_scheduled_release_does_not_release_it_again(as_owner, owned):
    as_owner.post(url_of(owned), {"when": "later", "digits": "0123"})
    with later(days=11):
        release.park_due()
        as_owner.post(url_of(owned, "release/undo/"))
        release.park_due()
    owned.refresh_from_db()
    assert (owned.status, owned.release_at) == ("active", None)


@pytest.mark.parametrize("digits", ["0124", "", "123", "12125550123", "\x00", "٠١٢٣"])
def test_other_digits_release_nothing(as_owner, owned, digits):
    response = as_owner.post(url_of(owned), {"when": "now", "digits": digits})
    assert response.status_code == 422
    owned.refresh_from_db()
    assert owned.status == "active"
    assert not AuditEvent.objects.exists()


def test_digits_may_have_spaces(as_owner, owned):
    assert as_owner.post(url_of(owned), {"when": "now", "digits": " 01 23 "}).status_code == 302


def test_a_locked_number_refuses_with_the_reason(as_owner, owner, owned, simulator):
    changes.lock(number=owned, by=owner)
    for when in ("now", "later"):
        response = as_owner.post(url_of(owned), {"when": when, "digits": "0123"})
        assert response.status_code == 422
        assert "locked against release" in response.content.decode()
    owned.refresh_from_db()
    assert (owned.parked_at, owned.release_at) == (None, None)


def test_locked_at_the_last_moment_it_is_not_released(owned, owner, simulator, monkeypatch):
    """Between looking and releasing, somebody locks it."""
    look = release.refuse_if_kept

    def and_somebody_locks(number, hold):
        look(number, hold)
        Number.objects.update(locked_at=timezone.now())

    monkeypatch.setattr(release, "refuse_if_kept", and_somebody_locks)
    with pytest.raises(NumberLocked):
        release.release_now(number=owned, by=owner, last_digits="0123")


def test_a_number_with_an_emergency_address_refuses_with_the_reason(
    as_owner, acme, make_number, simulator
):
    number = make_number(acme, "+12125550123")
    number.provider_sid = simulator.seed(number.e164, emergency_address_status="registered")
    number.save(update_fields=["provider_sid"])
    response = as_owner.post(url_of(number), {"when": "now", "digits": "0123"})
    assert response.status_code == 422
    assert "an emergency address is registered for it" in response.content.decode()
    number.refresh_from_db()
    assert number.status == "active"


def test_what_the_carrier_told_last_is_said_before_anything_is_typed(as_owner, owned, simulator):
    Number.objects.update(emergency_address_status="registered")
    page = as_owner.get(url_of(owned)).content.decode()
    assert "an emergency address is registered for it" in page
    assert f"{url_of(owned, 'checks/')}" in page
    assert 'name="digits"' in page
    # The carrier has the last word: there the address is gone meanwhile.
    assert as_owner.post(url_of(owned), {"when": "now", "digits": "0123"}).status_code == 302


def test_a_locked_number_is_not_asked_for_its_digits(as_owner, owner, owned):
    changes.lock(number=owned, by=owner)
    page = as_owner.get(url_of(owned)).content.decode()
    assert "locked against release" in page
    assert 'name="digits"' not in page


def test_a_carrier_that_does_not_answer_does_not_stop_the_release(as_owner, owned, simulator):
    simulator.fault("server_error", method="GET")
    assert as_owner.post(url_of(owned), {"when": "now", "digits": "0123"}).status_code == 302


def test_a_carrier_that_keeps_the_number_is_told_of_once(as_owner, released, simulator):
    simulator.fault("porting_out", method="DELETE", times=2)
    for minutes in (0, 10):
        with later(hours=25, minutes=minutes):
            sweep()
    released.refresh_from_db()
    assert "ported to another carrier" in released.give_back_refusal
    assert Notice.objects.filter(key__startswith="not-given-back").count() == 1
    assert "ported to another carrier" in as_owner.get(url_of(released, "")).content.decode()
    with later(hours=25, minutes=20):
        assert sweep() == 1


def test_released_twice_is_released_once(as_owner, released):
    response = as_owner.post(url_of(released), {"when": "now", "digits": "0123"})
    assert response.status_code == 422
    assert "waits to be given back" in response.content.decode()
    assert AuditEvent.objects.count() == 1


def test_undone_twice_is_undone_once(as_owner, released):
    for _ in range(2):
        assert as_owner.post(url_of(released, "release/undo/")).status_code == 302
    assert AuditEvent.objects.filter(action="number.release_undone").count() == 1


@pytest.mark.parametrize("page", ["release/", "release/undo/", "release/cancel/"])
def test_releasing_needs_its_own_permission(as_member, as_viewer, as_outsider, owned, page):
    for client, status in ((as_member, 403), (as_viewer, 403), (as_outsider, 404)):
        response = client.post(url_of(owned, page), {"when": "now", "digits": "0123"})
        assert response.status_code == status
    owned.refresh_from_db()
    assert owned.status == "active"


def test_the_schedule_stays_out_of_a_released_number_s_way(released, owner):
    with pytest.raises(NumberIsReleased):
        release.schedule_release(number=released, by=owner, last_digits="0123")


def race(number: Number, one, other) -> None:
    """Both at once, each in a thread and a connection of its own."""
    barrier = threading.Barrier(2)

    def run(work):
        barrier.wait()
        try:
            work()
        except Exception:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    number.refresh_from_db()


def test_undo_and_give_back_never_both_win(released, owner, simulator):
    """Whoever wins: the number is either here and at the carrier, or at neither place."""
    with later(hours=25):
        race(
            released,
            lambda: release.undo_release(number=released, by=owner),
            sweep,
        )
    is_ours = released.released_at is None
    assert is_ours == bool(simulator.owned())
    assert is_ours == (released.parked_at is None)


def test_without_the_claim_undo_and_give_back_could_both_win(released, owner, simulator):
    """The control: looking first and asking afterwards loses the number."""
    with later(hours=25):
        number = Number.objects.get(pk=released.pk)  # a sweep that only looked
        release.undo_release(number=released, by=owner)
        give_back.provider.release(sid=number.provider_sid)
    released.refresh_from_db()
    assert released.status == "active"
    assert simulator.owned() == [], "active here and gone at the carrier: what the claim prevents"
