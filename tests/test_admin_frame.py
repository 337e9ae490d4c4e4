"""What stands on every page of the admin."""

import pytest

from conftest import signed_in

STRIP = "Simulated provider: the numbers and charges here are not real."
PAGES = ["/admin/", "/admin/numbers/number/", "/admin/platform/", "/admin/numbers/number/?_popup=1"]


@pytest.mark.parametrize("address", PAGES)
def test_it_says_that_the_provider_is_simulated(address, staff, simulator):
    shown = signed_in(staff).get(address, follow=True)
    assert shown.status_code == 200
    assert shown.text.count(STRIP) == 1


@pytest.mark.parametrize("address", ["/admin/", "/admin/numbers/number/"])
def test_it_says_nothing_of_the_kind_with_the_real_one(address, staff, settings):
    settings.TWILIO_API_BASE = ""
    assert STRIP not in signed_in(staff).get(address).text
