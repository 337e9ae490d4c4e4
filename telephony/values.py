"""What the provider deals in, in our words. Nothing here knows a workspace or a wallet."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class NumberType(StrEnum):
    LOCAL = "local"
    TOLL_FREE = "toll_free"
    MOBILE = "mobile"
    NATIONAL = "national"

    @property
    def label(self) -> str:
        return "Toll-free" if self is NumberType.TOLL_FREE else self.value.title()


FAX_NOTE = "Fax: reported by the carrier, but Twilio has not delivered faxes since December 2021"


class Capability(StrEnum):
    VOICE = "voice"
    SMS = "sms"
    MMS = "mms"
    FAX = "fax"

    @property
    def label(self) -> str:
        is_acronym = self in (Capability.SMS, Capability.MMS)
        return self.value.upper() if is_acronym else self.value.title()


class AddressRequirement(StrEnum):
    """Where the address must be that a buyer registers: nowhere, anywhere, in the number's
    area, or outside its country.
    """

    NONE = "none"
    ANY = "any"
    LOCAL = "local"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class NumberQuery:
    """A search for numbers of one type in one country.

    ``area_code`` is what follows the country code. ``contains``, ``starts_with`` and
    ``ends_with`` are digits or A-Z; the start is that of the national number, after the
    area code where one is given.
    """

    country: str
    number_type: NumberType
    area_code: str = ""
    contains: str = ""
    starts_with: str = ""
    ends_with: str = ""
    capabilities: frozenset[Capability] = frozenset()
    limit: int = 30


@dataclass(frozen=True, slots=True)
class AvailableNumber:
    """A number that could be bought the moment we asked; nothing reserves it."""

    e164: str
    friendly_name: str
    country: str
    number_type: NumberType
    locality: str
    region: str
    postal_code: str
    capabilities: frozenset[Capability]
    address_requirement: AddressRequirement
    beta: bool


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Where the provider sends the calls and messages of a number, and by which HTTP method.
    An empty address means nowhere, and then its method says nothing.
    """

    voice_url: str = ""
    voice_fallback_url: str = ""
    voice_status_url: str = ""
    message_url: str = ""
    message_fallback_url: str = ""
    voice_method: str = "POST"
    voice_fallback_method: str = "POST"
    voice_status_method: str = "POST"
    message_method: str = "POST"
    message_fallback_method: str = "POST"


@dataclass(frozen=True, slots=True)
class Overrides:
    """What stands above the webhooks of a number at the provider; all empty is how we want it."""

    voice_application: str = ""
    message_application: str = ""
    trunk: str = ""


@dataclass(frozen=True, slots=True)
class OwnedNumber:
    """A number that the provider's account owns. ``created_at`` is in UTC."""

    sid: str
    e164: str
    friendly_name: str
    number_type: NumberType | None
    capabilities: frozenset[Capability]
    webhooks: Webhooks
    address_requirement: AddressRequirement
    status: str
    origin: str
    overrides: Overrides
    created_at: datetime | None
    # ``registered`` while emergency services know an address for it: it cannot be released.
    emergency_address_status: str = ""
    # The approved documents that it is held with, where its country asks for them.
    bundle_sid: str = ""


@dataclass(frozen=True, slots=True)
class Country:
    """A country in which numbers are sold, and the types of them."""

    code: str
    number_types: frozenset[NumberType] = field(default_factory=frozenset)
    beta: bool = False


@dataclass(frozen=True, slots=True)
class NumberPrice:
    """What the provider takes per month for a type of number."""

    number_type: NumberType
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Account:
    sid: str
    friendly_name: str
    status: str
    kind: str


@dataclass(frozen=True, slots=True)
class Balance:
    amount: Decimal
    currency: str
