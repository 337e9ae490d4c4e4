"""An order, for tests of what is around it."""

from numbers import quote as quotes
from numbers.models import NumberOrder
from numbers.pricing import price_of
from numbers.purchase import purchase_number
from telephony import provider
from telephony.values import NumberQuery, NumberType
from workspaces.models import User, Workspace


def buy_any(workspace: Workspace, by: User) -> NumberOrder:
    """The first local number of the United States that is for sale."""
    query = NumberQuery(country="US", number_type=NumberType.LOCAL, limit=1)
    quote = quotes.new_quote(provider.search(query)[0], price_of("US", NumberType.LOCAL), "")
    return purchase_number(workspace=workspace, by=by, quote=quote)
