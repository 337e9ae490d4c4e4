"""Doorbells and sweeps: each only finds the rows and calls the operation.

A row is looked up by its workspace and its id.
"""

import logging

from celery import shared_task

from interactions import (
    catch_up,
    handling,
    last_use,
    media,
    place,
    rates,
    routing,
    send,
    usage_charges,
)
from interactions.models import Message, Voicemail
from telephony.errors import ProviderError

log = logging.getLogger(__name__)


@shared_task
def handle_message(workspace_id: int, message_id: int) -> None:
    message = Message.objects.select_related("number", "conversation__number", "workspace")
    handling.handle(message.get(workspace=workspace_id, pk=message_id))


@shared_task
def fetch_voicemail(workspace_id: int, voicemail_id: int) -> None:
    media.fetch_voicemail(Voicemail.objects.get(workspace=workspace_id, pk=voicemail_id))


@shared_task
def settle_usage() -> None:
    usage_charges.settle_due()


@shared_task
def finish_messages() -> None:
    """What arrived and was not handled, what was sent and not acknowledged."""
    handling.handle_due()
    send.settle_unacknowledged()
    place.settle_unacknowledged()


@shared_task
def fetch_media() -> None:
    media.fetch_due()


@shared_task
def note_last_use() -> None:
    last_use.note_last_use()


@shared_task
def ask_about_the_silent() -> None:
    catch_up.ask_about_the_silent()
    catch_up.ask_for_lost_parts()


@shared_task
def find_what_was_missed() -> None:
    try:
        catch_up.catch_up()
    except ProviderError as error:
        log.warning("the provider's lists could not be read: %s", error)


@shared_task
def refresh_rates() -> None:
    rates.refresh_due()
    routing.reprice_routes()
