"""Everything we do at Twilio, in our words.

Each function makes one call (``list_pages`` one per page), raises a ``ProviderError`` when
it fails, and returns our own values. Nothing is retried here: who calls knows whether a
repeat is safe.
"""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any

from twilio.rest import Client

from telephony.client import call
from telephony.errors import NotFound, ProviderError, ReleaseRefused, TypeNotOffered, Unreadable
from telephony.pattern import Pattern, area_code_filter, fits, pattern_for
from telephony.values import (
    Account,
    AddressRequirement,
    AvailableNumber,
    Balance,
    Capability,
    Country,
    NumberPrice,
    NumberQuery,
    NumberType,
    Overrides,
    OwnedNumber,
    Webhooks,
)

PRICE_TYPES = {
    "local": NumberType.LOCAL,
    "toll free": NumberType.TOLL_FREE,
    "mobile": NumberType.MOBILE,
    "national": NumberType.NATIONAL,
}
LARGE_SAMPLE = 250
TYPES = {str(kind): kind for kind in NumberType} | PRICE_TYPES


def countries() -> list[Country]:
    """The countries in which numbers are sold, with the types we can sell."""
    rows = call(lambda twilio: twilio.available_phone_numbers.list())
    return [
        Country(
            code=row.country_code,
            number_types=frozenset(
                kind for kind in NumberType if kind in (row.subresource_uris or {})
            ),
            beta=bool(row.beta),
        )
        for row in rows
    ]


def search(query: NumberQuery) -> list[AvailableNumber]:
    """A sample of what can be bought; nothing is reserved. Empty when nothing matches.

    Raises ``TypeNotOffered`` where the country does not sell the type.
    """

    pattern = pattern_for(query)
    # What cannot be asked is looked for in a larger sample.
    limit = query.limit if pattern.is_whole else max(query.limit, LARGE_SAMPLE)

    def ask(twilio: Client) -> list[Any]:
        country = twilio.available_phone_numbers(query.country)
        lists = {
            NumberType.LOCAL: country.local,
            NumberType.TOLL_FREE: country.toll_free,
            NumberType.MOBILE: country.mobile,
            NumberType.NATIONAL: country.national,
        }
        return lists[query.number_type].list(limit=limit, **_filters(query, pattern))

    try:
        rows = call(ask)
    except NotFound as error:
        raise TypeNotOffered(error.args[0], provider_code=error.provider_code,
                             http_status=error.http_status) from error  # fmt: skip
    fitting = (row for row in rows if fits(query, row.phone_number))
    return [_available(row, query.number_type) for row in islice(fitting, query.limit)]


def _filters(query: NumberQuery, pattern: Pattern) -> dict[str, Any]:
    filters: dict[str, Any] = {
        f"{capability}_enabled": True for capability in sorted(query.capabilities)
    }
    if area_code := area_code_filter(query):
        filters["area_code"] = area_code
    if pattern.contains:
        filters["contains"] = pattern.contains
    return filters


def prices(*, country: str) -> list[NumberPrice]:
    """What each type costs per month in the country, before any markup of ours."""
    row = call(lambda twilio: twilio.pricing.v1.phone_numbers.countries(country).fetch())
    return [
        NumberPrice(
            number_type=PRICE_TYPES[price["number_type"]],
            amount=Decimal(str(price["current_price"])),
            currency=row.price_unit.upper(),
        )
        for price in row.phone_number_prices
        if price["number_type"] in PRICE_TYPES and price["current_price"] is not None
    ]


def buy(
    *, e164: str, friendly_name: str, webhooks: Webhooks, address_sid: str = "",
    bundle_sid: str = "",
) -> OwnedNumber:  # fmt: skip
    """Buy exactly this number, with its webhooks set.

    Twilio has no idempotency key for it. Buying a number that the account owns already
    succeeds and changes nothing, so the same number cannot be bought twice; buying by area
    code could, and is never done. A ``ProviderUnavailable`` whose ``outcome_unknown`` is
    true may have bought it.
    """
    extra = {"address_sid": address_sid, "bundle_sid": bundle_sid}
    fields = _webhook_fields(webhooks, clear=False)
    fields |= {name: value for name, value in extra.items() if value}

    def create(twilio: Client) -> OwnedNumber:
        return _owned(
            twilio.incoming_phone_numbers.create(
                phone_number=e164, friendly_name=friendly_name, **fields
            )
        )

    return call(create, writes=True)


def find(*, e164: str) -> OwnedNumber | None:
    """The number, if the account owns it."""
    rows = call(lambda twilio: twilio.incoming_phone_numbers.list(phone_number=e164, limit=20))
    return next((_owned(row) for row in rows if row.phone_number == e164), None)


def fetch(*, sid: str) -> OwnedNumber:
    """Raises ``NotFound`` for one that the account does not own (any more)."""
    return call(lambda twilio: _owned(twilio.incoming_phone_numbers(sid).fetch()))


def configure(
    *, sid: str, webhooks: Webhooks | None = None, friendly_name: str | None = None,
    overrides: Overrides | None = None,
) -> OwnedNumber:  # fmt: skip
    """Set webhooks, name or overrides; what is not given stays, an empty address is cleared,
    and ``Overrides()`` takes all of them off.
    """
    fields: dict[str, Any] = _webhook_fields(webhooks, clear=True) if webhooks else {}
    if overrides is not None:
        fields |= {
            "voice_application_sid": overrides.voice_application,
            "sms_application_sid": overrides.message_application,
            "trunk_sid": overrides.trunk,
        }
    if friendly_name is not None:
        fields["friendly_name"] = friendly_name
    return call(
        lambda twilio: _owned(twilio.incoming_phone_numbers(sid).update(**fields)), writes=True
    )


def release(*, sid: str) -> None:
    """Give the number back, at once and for good. One that is gone already is fine.

    Raises ``ReleaseRefused`` while the provider holds it: it is being ported out, or an
    emergency address is registered for it (help.twilio.com/articles/223183028).
    """
    try:
        call(lambda twilio: twilio.incoming_phone_numbers(sid).delete(), writes=True)
    except NotFound:
        return
    except ProviderError as error:
        if type(error) is ProviderError:  # a no for a cause of its own
            raise ReleaseRefused.of(error) from error
        raise


def list_pages(*, page_size: int = 1000) -> Iterator[list[OwnedNumber]]:
    """Every number of the account, a page at a time. A failure in the middle is raised: a
    list that ended early must never be taken for a whole one.
    """
    page, numbers = call(
        lambda twilio: _read(twilio.incoming_phone_numbers.page(page_size=page_size))
    )
    while True:
        yield numbers
        following = call(partial(_next_page, page))
        if following is None:
            return
        page, numbers = following


def _read(page: Any) -> tuple[Any, list[OwnedNumber]]:
    return page, [_owned(row) for row in page]


def _next_page(page: Any, _twilio: Client) -> tuple[Any, list[OwnedNumber]] | None:
    following = page.next_page()
    return None if following is None else _read(following)


def account() -> Account:
    row = call(lambda twilio: twilio.api.v2010.accounts(twilio.account_sid).fetch())
    return Account(row.sid, row.friendly_name, str(row.status), str(row.type))


def balance() -> Balance:
    row = call(lambda twilio: twilio.balance.fetch())
    return Balance(Decimal(row.balance), row.currency)


# Our name of a webhook, and theirs.
WEBHOOKS = {
    "voice": "voice", "voice_fallback": "voice_fallback", "voice_status": "status_callback",
    "message": "sms", "message_fallback": "sms_fallback",
}  # fmt: skip


def _address_field(theirs: str) -> str:
    return theirs if theirs == "status_callback" else f"{theirs}_url"


def _webhook_fields(webhooks: Webhooks, *, clear: bool) -> dict[str, str]:
    fields = {}
    for ours, theirs in WEBHOOKS.items():
        address = getattr(webhooks, f"{ours}_url")
        if address or clear:
            fields[_address_field(theirs)] = address
            fields[f"{theirs}_method"] = getattr(webhooks, f"{ours}_method")
    return fields


def _webhooks(row: Any) -> Webhooks:
    found = {}
    for ours, theirs in WEBHOOKS.items():
        if address := getattr(row, _address_field(theirs)):
            found[f"{ours}_url"] = address
            found[f"{ours}_method"] = _word(getattr(row, f"{theirs}_method")) or "POST"
    return Webhooks(**found)


def _capabilities(reported: dict[str, bool] | None) -> frozenset[Capability]:
    """Available numbers report ``SMS``, owned ones ``sms``; ``fax`` may be absent."""
    able = {name.lower() for name, value in (reported or {}).items() if value}
    return frozenset(kind for kind in Capability if kind in able)


def _word(reported: object) -> str:
    """The SDK hands some words over as members of its own enumerations."""
    return str(getattr(reported, "value", reported) or "")


def _requirement(reported: object) -> AddressRequirement:
    """A requirement that we do not know is one all the same."""
    try:
        return AddressRequirement(_word(reported) or "none")
    except ValueError:
        return AddressRequirement.ANY


def _available(row: Any, number_type: NumberType) -> AvailableNumber:
    return AvailableNumber(
        e164=row.phone_number,
        friendly_name=row.friendly_name or "",
        country=row.iso_country,
        number_type=number_type,
        locality=row.locality or "",
        region=row.region or "",
        postal_code=row.postal_code or "",
        capabilities=_capabilities(row.capabilities),
        address_requirement=_requirement(row.address_requirements),
        beta=bool(row.beta),
    )


def _owned(row: Any) -> OwnedNumber:
    if not (row.sid and row.phone_number):
        raise Unreadable("a number without its sid or its digits")
    return OwnedNumber(
        sid=row.sid,
        e164=row.phone_number,
        friendly_name=row.friendly_name or "",
        number_type=TYPES.get(str(row.type or "").replace("-", "_")),
        capabilities=_capabilities(row.capabilities),
        webhooks=_webhooks(row),
        address_requirement=_requirement(row.address_requirements),
        status=row.status or "",
        origin=row.origin or "",
        overrides=Overrides(
            voice_application=row.voice_application_sid or "",
            message_application=row.sms_application_sid or "",
            trunk=row.trunk_sid or "",
        ),
        created_at=row.date_created,
        emergency_address_status=_word(row.emergency_address_status),
        bundle_sid=row.bundle_sid or "",
    )
