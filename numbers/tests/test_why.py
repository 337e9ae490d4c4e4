"""Why can't I buy? Every cause of the troubleshooting list, with its evidence and its fix."""

from decimal import Decimal

import pytest

from conftest import make_member, signed_in
from numbers.limits import set_limits
from numbers.models import DiagnosisReport, NumberOrder
from telephony import client as telephony_client
from workspaces.models import User
from workspaces.permissions import Role

pytestmark = pytest.mark.django_db

WHY = "/w/acme/numbers/why/"


def findings(client, address: str = WHY, **search: str) -> dict[str, tuple[str, str, str]]:
    """By cause: verdict, evidence, where the fix leads."""
    page = client.get(address, search)
    assert page.status_code == 200
    return {
        finding.cause: (finding.verdict, finding.evidence, finding.fix.url if finding.fix else "")
        for _, finding in page.context["lines"]
    }


def test_with_nothing_in_the_way_all_is_in_order(acme, as_owner, simulator):
    found = findings(as_owner, country="US", area_code="212")
    assert {verdict for verdict, _, _ in found.values()} == {"ok"}
    assert list(found) == [
        "balance", "permission", "limits", "availability", "credentials", "region",
    ]  # fmt: skip
    assert "$50.00 is available; the cheapest such number costs $1.38" in found["balance"][1]


def test_looking_changes_nothing(acme, as_owner, simulator, money):
    findings(as_owner)
    assert (money(acme), simulator.owned()) == ((Decimal(50), 0), [])
    assert not NumberOrder.objects.exists()
    assert not DiagnosisReport.objects.exists()


def test_balance_too_low(globex, as_outsider, simulator):
    found = findings(as_outsider, "/w/globex/numbers/why/", country="US", type="toll_free")
    verdict, evidence, fix = found["balance"]
    assert verdict == "problem"
    assert "$2.00 is available; the cheapest such number costs $2.58" in evidence
    assert "$0.58 is missing" in evidence
    assert fix.startswith("/w/globex/wallet/add/?missing=0.58")


def test_who_may_not_see_the_wallet_learns_no_amount(globex, simulator):
    viewer = signed_in(make_member(globex, Role.VIEWER, "viewer@globex.test"))
    found = findings(viewer, "/w/globex/numbers/why/", country="US", type="toll_free")
    assert "$2.00" not in str(found)
    assert "There is not enough money" in found["balance"][1]


def test_no_permission(acme, owner, as_member, simulator):
    verdict, evidence, fix = findings(as_member, country="US", area_code="212")["permission"]
    assert verdict == "problem"
    assert "numbers_create in Acme. Olivia can grant it" in evidence
    assert fix == "/w/acme/numbers/buy/?country=US&area_code=212"


def test_limits_of_the_day(acme, owner, as_owner, simulator):
    set_limits(workspace=acme, by=owner, spend_per_day=None, numbers_per_day=0)
    verdict, evidence, fix = findings(as_owner)["limits"]
    assert (verdict, fix) == ("problem", "/w/acme/numbers/limits/")
    assert "0 of 0 numbers were ordered today" in evidence


def test_nothing_available_offers_what_works(acme, as_owner, simulator):
    verdict, evidence, fix = findings(as_owner, country="US", area_code="310")["availability"]
    assert verdict == "problem"
    assert "none in area code 310" in evidence
    assert fix.startswith("/w/acme/numbers/buy/?country=US&area_code=")
    assert as_owner.get(fix).context["found"].results


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("unauthorized", "missing or wrong"),
        ("suspended", "suspended the account"),
        ("porting_out", "refuses what was asked"),
    ],
)
def test_credentials_that_do_not_work(acme, as_owner, simulator, fault, said):
    findings(as_owner)  # countries and prices are known from now on
    simulator.fault(fault, times=-1)
    found = findings(as_owner)
    assert found["credentials"][0] == "problem"
    assert said in found["credentials"][1]
    assert found["credentials"][2].startswith("mailto:")
    assert found["availability"][0] == found["region"][0] == "unknown"


def test_credentials_that_are_missing(acme, as_owner, simulator, settings):
    findings(as_owner)  # the countries are known from now on
    settings.TWILIO_ACCOUNT_SID = settings.TWILIO_AUTH_TOKEN = ""
    telephony_client._client.cache_clear()
    assert findings(as_owner)["credentials"][0] == "problem"


def test_a_provider_that_does_not_answer_is_unknown_not_wrong(acme, as_owner, simulator):
    findings(as_owner)
    simulator.fault("unavailable", times=-1)
    found = findings(as_owner)
    assert found["credentials"][0] == found["availability"][0] == "unknown"
    assert found["permission"][0] == found["balance"][0] == "ok"


def test_a_country_that_asks_for_an_address(acme, as_owner, simulator, settings):
    found = findings(as_owner, country="IE", type="local")
    assert found["region"][0] == "problem"
    assert "need a registered address" in found["region"][1]
    settings.TWILIO_ADDRESS_SIDS = {"IE": "AD" + "1" * 32}
    assert findings(as_owner, country="IE", type="local")["region"][0] == "ok"


def test_a_report_keeps_what_was_found_for_support(acme, as_member, member, owner, simulator):
    page = as_member.post(WHY + "report/", {"country": "US", "area_code": "310"}, follow=True)
    report = DiagnosisReport.objects.get()
    assert (report.workspace, report.by, report.search) == (
        acme,
        member,
        "country=US&area_code=310",
    )
    text = page.content.decode()
    assert report.reference in text
    assert "none in area code 310" in text
    staff = signed_in(User.objects.create_superuser("staff@example.test", "numbers-demo"))
    admin = staff.get(f"/admin/numbers/diagnosisreport/?q={report.reference}")
    assert report.reference in admin.content.decode()
    detail = staff.get(f"/admin/numbers/diagnosisreport/{report.pk}/change/").content.decode()
    assert "none in area code 310" in detail


def test_a_report_is_shown_to_whom_it_is_about(acme, as_member, as_viewer, as_outsider, simulator):
    as_member.post(WHY + "report/", {"country": "US"})
    address = DiagnosisReport.objects.get().get_absolute_url()
    assert as_member.get(address).status_code == 200
    assert as_viewer.get(address).status_code == 404
    assert as_outsider.get(address).status_code == 404


@pytest.mark.parametrize("bad", ["\x00", "🙂", "x" * 10_000, "ZZ", "../../"])
def test_whatever_is_asked_there_is_a_page(acme, as_owner, simulator, bad):
    assert as_owner.get(WHY, {"country": bad, "area_code": bad, "type": bad}).status_code == 422
    assert as_owner.get(WHY, {"country": "US", "area_code": bad}).status_code == 422
    assert as_owner.post(WHY + "report/", {"country": bad}).status_code == 422
    assert not DiagnosisReport.objects.exists()


def test_only_the_right_methods_are_answered(acme, as_owner, simulator):
    assert as_owner.post(WHY).status_code == 405
    assert as_owner.get(WHY + "report/").status_code == 405
    assert as_owner.get("/w/acme/numbers/limits/set/").status_code == 405
    assert as_owner.get("/w/acme/numbers/requests/ask/").status_code == 405


def test_refusals_and_the_wizard_lead_here(acme, as_owner, simulator):
    assert WHY in as_owner.get("/w/acme/numbers/buy/").content.decode()
    refused = as_owner.post("/w/acme/numbers/orders/", {"quote": "old"})
    assert refused.status_code == 422
    assert WHY in refused.content.decode()
