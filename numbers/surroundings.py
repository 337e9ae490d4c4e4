"""What stands around the list: the choices of its filters, and what this person wants to see.

One round trip by hand-written SQL, since the page has no queries to spare: the countries are
found by hopping along the index from one to the next, not by reading every number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from lib import e164 as formats
from numbers.list_models import Tag
from numbers.models import OrderLine, RentArrears
from workspaces.models import Membership
from workspaces.permissions import NUMBERS_CREATE

MOST_ORDERS = 3

LOOK_AROUND = """
WITH RECURSIVE hop(country) AS (
    (SELECT country FROM numbers_number
        WHERE workspace_id = %(workspace)s AND released_at IS NULL ORDER BY country LIMIT 1)
    UNION ALL
    SELECT (SELECT country FROM numbers_number AS next
        WHERE workspace_id = %(workspace)s AND released_at IS NULL
            AND next.country > hop.country ORDER BY country LIMIT 1)
    FROM hop WHERE hop.country IS NOT NULL
)
SELECT
    ARRAY(SELECT country FROM hop WHERE country IS NOT NULL),
    (SELECT coalesce(json_agg(json_build_array(id, name) ORDER BY lower(name)), '[]')
        FROM numbers_tag WHERE workspace_id = %(workspace)s),
    (SELECT columns FROM numbers_listpreference WHERE user_id = %(user)s),
    ARRAY(SELECT DISTINCT o.reference FROM numbers_orderline AS line
        JOIN numbers_numberorder AS o ON o.id = line.order_id
        WHERE line.workspace_id = %(workspace)s AND line.state = ANY(%(unsettled)s)
        ORDER BY o.reference LIMIT %(most)s),
    (SELECT since FROM numbers_rentarrears WHERE workspace_id = %(workspace)s),
    (SELECT count(*) FROM numbers_purchaserequest
        WHERE workspace_id = %(workspace)s AND state = 'waiting'
            AND (%(decides)s OR asked_by_id = %(user)s))
"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``countries`` are those in which the workspace has numbers; ``columns`` is None for a
    person who never chose; ``orders`` are references that are still being checked;
    ``arrears`` is there while rent is overdue; ``requests`` counts those that the person
    waits for or has to decide on.
    """

    countries: Sequence[tuple[str, str]]
    tags: Sequence[Tag]
    columns: Sequence[str] | None
    orders: Sequence[str]
    arrears: RentArrears | None
    requests: int

    def tag(self, name: str) -> Tag | None:
        wanted = name.strip().lower()
        return next((tag for tag in self.tags if tag.name.lower() == wanted), None)


def surroundings_of(membership: Membership) -> Surroundings:
    workspace = membership.workspace
    with connection.cursor() as cursor:
        cursor.execute(
            LOOK_AROUND,
            {"workspace": workspace.pk, "user": membership.user_id, "most": MOST_ORDERS,
             "unsettled": list(OrderLine.UNSETTLED), "decides": membership.can(NUMBERS_CREATE)},
        )  # fmt: skip
        countries, tags, columns, orders, overdue_since, requests = cursor.fetchone()
    named = sorted(((code, formats.country_name(code)) for code in countries), key=lambda c: c[1])
    return Surroundings(
        countries=named,
        tags=[Tag(pk=pk, name=name, workspace=workspace) for pk, name in tags],
        columns=columns,
        orders=orders,
        arrears=RentArrears(workspace=workspace, since=overdue_since) if overdue_since else None,
        requests=requests,
    )
