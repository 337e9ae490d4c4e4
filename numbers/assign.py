"""Nobody's numbers: the provider bills them and no workspace has them. Staff decide."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from lib import area_codes
from lib import e164 as formats
from lib.errors import Refusal
from numbers.compare import emergency_of
from numbers.cures import Cure, NothingToCure, end
from numbers.models import Number
from numbers.pricing import price_of
from numbers.sync_models import Difference
from telephony import provider
from telephony.errors import NotFound
from telephony.webhook_urls import webhooks_for_numbers
from wallet import ledger
from wallet.models import Kind, Wallet
from workspaces import audit
from workspaces.models import User, Workspace

LONGEST_REASON = 300


class ReasonMissing(Refusal):
    code = "reason_missing"
    title = "Say why"

    def __init__(self) -> None:
        super().__init__("Write down why this is done: the reason stays in the audit trail.")


class UnknownKind(Refusal):
    code = "unknown_kind"
    title = "We do not know what kind of number this is"

    def __init__(self, e164: str) -> None:
        super().__init__(
            f"The carrier does not say which type {formats.international(e164)} is, so it has no "
            "price. Give it back at the carrier, or ask there."
        )


def assign_number(*, difference: Difference, workspace: Workspace, by: User, reason: str) -> Number:
    """Make a workspace the owner of nobody's number, as if it bought it now.

    The first month is charged from its wallet; ``InsufficientFunds`` leaves everything as it
    was. Raises ``NothingToCure`` where the number is somebody's or gone meanwhile.
    """
    _check(difference, reason)
    try:
        owned = provider.fetch(sid=difference.provider_sid)
    except NotFound as error:
        raise NothingToCure from error
    country, kind = formats.country_of(owned.e164), owned.number_type
    if not country or kind is None:
        raise UnknownKind(owned.e164)
    price = price_of(country, kind)
    now = timezone.now()
    set_already = owned.webhooks == webhooks_for_numbers(owned.capabilities)
    area = area_codes.find(country, area_codes.code_of(owned.e164, country))
    with transaction.atomic():
        end(difference, Cure.ASSIGNED, by, f"To {workspace}. {reason}"[:LONGEST_REASON])
        ledger.charge(
            wallet=Wallet.objects.get(workspace=workspace), kind=Kind.PURCHASE,
            amount=price.amount, key=f"assign:{difference.public_id}",
            text=f"{formats.international(owned.e164)}, first month",
            reference=difference.public_id,
        )  # fmt: skip
        try:
            with transaction.atomic():
                number = Number.objects.create(
                    workspace=workspace, e164=owned.e164, country=country, number_type=kind,
                    area_code=area.code if area else "", locality=area.city if area else "",
                    region=area.region if area else "", capabilities=sorted(owned.capabilities),
                    address_requirement=owned.address_requirement, monthly_price=price.amount,
                    provider_monthly_price=price.provider_amount, currency=price.currency,
                    friendly_name=owned.friendly_name, provider_sid=owned.sid,
                    webhooks_set_at=now if set_already else None, created_at=now,
                    emergency_address_status=emergency_of(owned), bundle_sid=owned.bundle_sid,
                )  # fmt: skip
        except IntegrityError as error:
            raise NothingToCure from error
        audit.record(
            workspace=workspace, by=by, action="number.assigned", subject=number,
            text=f"Assigned by support: {reason}", details={"price": str(price.amount)},
        )  # fmt: skip
    return number


def give_back_nobodys(*, difference: Difference, by: User, reason: str) -> None:
    """Give nobody's number back to the provider, for good. Raises ``ProviderError``."""
    _check(difference, reason)
    if Number.objects.owned().filter(provider_sid=difference.provider_sid).exists():
        raise NothingToCure
    provider.release(sid=difference.provider_sid)
    with transaction.atomic():
        end(difference, Cure.GIVEN_BACK, by, reason)


def _check(difference: Difference, reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing
    if difference.kind != Difference.Kind.NOBODYS or difference.ended_at is not None:
        raise NothingToCure
