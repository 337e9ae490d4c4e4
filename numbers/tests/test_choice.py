"""The picker: only this workspace's numbers, and why some of them cannot be chosen."""

import re

import pytest
from django import forms
from django.http import QueryDict
from django.template import Context, Template
from django.utils import timezone

from lib.errors import Fix
from numbers import number_checks, sync, tags
from numbers.choice import SHOWN, Barrier, NumberChoiceField
from numbers.models import Number
from telephony.values import Capability

pytestmark = pytest.mark.django_db


class CampaignForm(forms.Form):
    """A form as campaigns, assistants and appointments will have it."""

    name = forms.CharField()
    sender = NumberChoiceField(needs=[Capability.SMS])

    def __init__(self, *args, workspace, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["sender"].for_workspace(workspace)


def sent(acme, **fields) -> CampaignForm:
    data = QueryDict(mutable=True)
    data.update({"name": "Spring", **fields})
    return CampaignForm(data, workspace=acme)


def html_of(form: CampaignForm) -> str:
    return Template("{{ form.sender }}").render(Context({"form": form}))


def unregistered(workspace, numbers, needs):
    """What an app beside this one would register: see ``settings.NUMBER_BARRIERS``."""
    return {n.pk: Barrier("Texting is not registered for it", Fix("Register", "/w/acme/x/"))
            for n in numbers if n.e164.endswith("7")}  # fmt: skip


def test_a_usable_number_is_chosen(acme, make_number):
    number = make_number(acme)
    form = sent(acme, sender=number.public_id)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["sender"] == number


def test_a_number_of_another_workspace_is_neither_offered_nor_taken(acme, globex, make_number):
    other = make_number(globex, "+13125550777")
    form = sent(acme, sender=other.public_id)
    assert form.errors["sender"] == [
        "This number is not in this workspace. Choose one that is listed here."
    ]
    assert "+13125550777" not in html_of(form)


@pytest.mark.parametrize(
    ("facts", "reason", "fix"),
    [
        ({"deactivated_at": 1}, "Inactive: switched off", "Switch it on"),
        ({"suspended_at": 1}, "Inactive: its monthly fee is overdue", "Add funds"),
        ({"outbound_stopped_at": 1}, "Its monthly fee is overdue", "Add funds"),
        ({"parked_at": 1}, "Released", "Undo the release"),
        ({"vanished_at": 1}, "Inactive: the carrier does not have it", "See what to do"),
        ({"carrier_trouble": 12}, "Not in use at the carrier", "See what differs"),
        ({"capabilities": ["voice"]}, "Cannot do SMS", "Buy one that does SMS"),
    ],
)
def test_an_unusable_number_is_shown_disabled_with_reason_and_fix(
    acme, make_number, facts, reason, fix
):
    facts = {name: timezone.now() if value == 1 else value for name, value in facts.items()}
    number = make_number(acme, "+12125550123", **facts)
    html = html_of(CampaignForm(workspace=acme))
    assert re.search(rf'value="{number.public_id}"\s+disabled', html)
    assert f"{reason}." in html
    assert f">{fix}<" in html
    form = sent(acme, sender=number.public_id)
    assert form.errors["sender"][0].startswith("+1 212-555-0123 cannot be used: ")


def test_a_number_that_lost_its_documents_is_disabled(acme, make_number, simulator):
    """Seen by the comparison, also after that has noted what the carrier says now."""
    number = make_number(acme, "+4915155550103", country="DE", number_type="mobile",
                         bundle_sid="BU" + "1" * 32)  # fmt: skip
    kept = make_number(acme, "+4915155550104", country="DE", number_type="mobile",
                       bundle_sid="BU" + "1" * 32)  # fmt: skip
    for one, bundle in ((number, None), (kept, kept.bundle_sid)):
        one.provider_sid = simulator.seed(one.e164, bundle_sid=bundle)
        one.save(update_fields=["provider_sid"])
    for look in (sync.check_number, lambda one: number_checks.check_now(number=one, by=None)):
        for one in (number, kept):
            look(one)
        html = html_of(CampaignForm(workspace=acme))
        assert re.search(rf'value="{number.public_id}"\s+disabled', html)
        assert html.count("Registration missing: the carrier has no approved documents") == 1
        assert f"/w/acme/numbers/{number.public_id}/checks/" in html
        assert sent(acme, sender=kept.public_id).is_valid()
        assert not sent(acme, sender=number.public_id).is_valid()


def test_other_apps_can_say_why_not(acme, make_number, settings):
    settings.NUMBER_BARRIERS = [f"{__name__}.unregistered"]
    number = make_number(acme, "+12125550127")
    html = html_of(CampaignForm(workspace=acme))
    assert "Texting is not registered for it." in html
    assert not sent(acme, sender=number.public_id).is_valid()


def test_a_number_given_back_is_not_offered(acme, make_number):
    number = make_number(acme, released_at=timezone.now())
    assert number.e164 not in html_of(CampaignForm(workspace=acme))
    assert not sent(acme, sender=number.public_id).is_valid()


def test_usable_numbers_come_first(acme, make_number):
    make_number(acme, "+12125550001", capabilities=["voice"])
    make_number(acme, "+12125550002")
    html = html_of(CampaignForm(workspace=acme))
    assert html.index("+12125550002") < html.index("+12125550001")


def test_finding_works_without_javascript(acme, owner, make_number):
    """The button sends the whole form; it comes back with what was found, and its input kept."""
    for _ in range(SHOWN + 5):
        make_number(acme)
    wanted = make_number(acme, "+14165550123")
    tags.set_tags(number=wanted, by=owner, names=["vip"])
    form = CampaignForm(workspace=acme)
    assert "More numbers match." in html_of(form)
    for text in ("416", "vip"):
        form = sent(acme, sender_find=text, sender_search="1")
        assert form.errors == {"sender": ["Choose one of the numbers that were found."]}
        html = html_of(form)
        assert html.count('type="radio"') == 1
        assert "+14165550123" in html
        assert f'value="{text}"' in html
    assert sent(acme, sender_find="416", sender=wanted.public_id).is_valid()


def test_what_was_chosen_stays_in_sight(acme, make_number):
    for _ in range(SHOWN + 5):
        make_number(acme)
    chosen = make_number(acme, "+19995550123")
    form = sent(acme, sender=chosen.public_id, name="")
    assert re.search(rf'value="{chosen.public_id}"\s+checked', html_of(form))


def test_an_empty_workspace_is_sent_to_buy(acme):
    html = html_of(CampaignForm(workspace=acme))
    assert "This workspace has no numbers yet." in html
    assert "/w/acme/numbers/buy/" in html


def test_nothing_chosen_says_so(acme, make_number):
    make_number(acme)
    assert sent(acme).errors["sender"] == ["Choose a number."]


@pytest.mark.parametrize("odd", ["\x00", "💥", "x" * 10_000, "-1", "<script>"])
def test_odd_values_are_no_numbers(acme, make_number, odd):
    make_number(acme)
    form = sent(acme, sender=odd, sender_find=odd)
    assert not form.is_valid()
    assert "<script>" not in html_of(form)


def test_the_widget_needs_no_inline_script_or_style(acme, make_number):
    make_number(acme)
    html = html_of(CampaignForm(workspace=acme))
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=", html)


def test_htmx_fetches_the_choices_alone(as_member, acme, globex, make_number):
    make_number(acme, "+12125550123", capabilities=["voice"])
    make_number(globex, "+12125550777")
    url = "/w/acme/numbers/choices/?field=sender&needs=sms&sender_find=212555"
    html = as_member.get(url).content.decode()
    assert html.lstrip().startswith('<div id="id_sender_choices"')
    assert "Cannot do SMS" in html
    assert "+12125550777" not in html


def test_fax_is_told_as_it_is_wherever_a_number_is_shown(as_owner, acme, make_number):
    """To those who look and to those who listen."""
    words = "Fax: reported by the carrier, but Twilio has not delivered faxes since December 2021"
    number = make_number(acme, capabilities=["fax", "voice"])
    pages = ("/w/acme/numbers/", "/w/acme/numbers/choices/?field=sender",
             number.get_absolute_url())  # fmt: skip
    for page in pages:
        html = as_owner.get(page).content.decode()
        assert re.search(rf'title="[^"]*{words}"', html), page
        assert re.search(rf'class="visually-hidden">[^<]*{words}<', html), page
    Number.objects.update(capabilities=["voice"])
    for page in pages:
        assert words not in as_owner.get(page).content.decode()


@pytest.mark.parametrize(
    "query", ["", "field=%00", "field=<b>", "field=a&needs=x", "field=" + "a" * 10_000]
)
def test_an_odd_picker_is_answered_politely(as_member, acme, query):
    assert as_member.get(f"/w/acme/numbers/choices/?{query}").status_code == 422


def test_an_odd_search_in_the_picker_finds_nothing(as_member, acme, make_number):
    make_number(acme)
    for odd in ("%00", "%F0%9F%98%80", "x" * 10_000):
        url = f"/w/acme/numbers/choices/?field=a&a_find={odd}&a={odd}"
        assert as_member.get(url).status_code == 200


def test_outsiders_find_no_choices(as_outsider, acme):
    assert as_outsider.get("/w/acme/numbers/choices/?field=a").status_code == 404
