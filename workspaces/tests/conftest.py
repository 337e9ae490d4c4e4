"""What the tests of people share."""

from collections.abc import Callable

import pytest

from numbers import quote as quotes
from numbers.models import Number, NumberOrder
from numbers.pricing import price_of
from numbers.purchase import place_order, purchase_number
from telephony import provider
from telephony.values import NumberQuery, NumberType
from workspaces.models import Membership, User, Workspace


@pytest.fixture
def place() -> Callable[[User], Membership]:
    """The membership of somebody who has one, as the database has it now."""
    return lambda user: Membership.objects.select_related("workspace", "user").get(user=user)


@pytest.fixture
def number(simulator, acme: Workspace, owner: User) -> Number:
    """A number that Acme has bought."""
    purchase_number(workspace=acme, by=owner, quote=_a_quote())
    return Number.objects.for_workspace(acme).get()


@pytest.fixture
def unsettled_order(simulator, acme: Workspace, owner: User) -> NumberOrder:
    """An order that is placed, and whose provider was not called yet."""
    return place_order(workspace=acme, by=owner, quote=_a_quote())


def _a_quote() -> quotes.Quote:
    [available] = provider.search(
        NumberQuery(country="US", number_type=NumberType.LOCAL, area_code="212", limit=1)
    )
    return quotes.new_quote(available, price_of("US", NumberType.LOCAL), "")
