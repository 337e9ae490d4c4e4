"""The Celery app and everything that beat does, each entry with its reason.

Durability never rests on the broker: each step that touches money or the provider is a
row, and these entries sweep the rows that are due. A task sent by a page is only a
doorbell, so that nobody waits for the next round.
"""

import os

import numbers_project  # noqa: F401  makes the app package `numbers` importable (ADR-0001)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "numbers_project.settings")

from celery import Celery

from numbers_project import task_logs  # noqa: F401  connects itself to Celery's signals

app = Celery("numbers_project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    # An order whose outcome is unknown is settled within 2 minutes of the provider being
    # reachable, whoever died.
    "settle unknown purchases": {
        "task": "numbers.tasks.settle_unknown_orders",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    # A number must be able to receive within minutes even if setting its webhooks failed.
    "repair webhooks": {
        "task": "numbers.tasks.repair_webhooks",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    # A payment whose webhook never came is credited all the same: Stripe is asked.
    "settle open top-ups": {
        "task": "wallet.tasks.settle_open_top_ups",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    # Money that was taken back is gone, whether or not its webhook reached us.
    "ask for refunds and disputes": {
        "task": "wallet.tasks.ask_for_refunds_and_disputes",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    # A wallet that runs low is filled up before calls are turned away; who switched this on
    # waits for it.
    "recharge low wallets": {
        "task": "wallet.tasks.recharge_low_wallets",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    # Told while there is time to add funds. A minute of delay loses nobody's call.
    "tell of low balances": {
        "task": "wallet.tasks.tell_of_low_balances",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    # Rent ahead changes with each purchase, each top-up and each day.
    "tell of rent not covered": {
        "task": "wallet.tasks.tell_of_rent_not_covered",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    # A mail rings a task when it is written; this is for what the ring did not reach.
    "deliver notices": {
        "task": "workspaces.tasks.deliver_notices",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    # A session that nobody used any more is of no use to anybody, but a list of who was where.
    "forget ended sessions": {
        "task": "workspaces.tasks.forget_ended_sessions",
        "schedule": 24 * 3600.0,
        "options": {"expires": 3600},
    },
    # A release that was scheduled begins on time, and one that was parked for
    # NUMBER_UNDO_HOURS is final.
    "release numbers": {
        "task": "numbers.tasks.release_numbers",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    # A name is sent to the carrier when it is changed; this is for what that did not reach.
    "send names": {
        "task": "numbers.tasks.send_number_names",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    # Like notices: the mail of an invitation whose bell nobody heard, or whose server was away.
    "deliver invitations": {
        "task": "workspaces.tasks.deliver_invitations",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    # A call that is over, a text that has come: on the statement within seconds. Prices that
    # the provider tells late are asked for here too, further and further apart.
    "charge for calls and messages": {
        "task": "interactions.tasks.settle_usage",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    # For messages whose bell was not heard, and for senders that died half-way.
    "finish messages": {
        "task": "interactions.tasks.finish_messages",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    # "Last used" on the list, and what is called unused; no caller waits for it.
    "note when numbers were used": {
        "task": "interactions.tasks.note_last_use",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    # Pictures and voicemails that the provider did not have yet, or could not be asked for.
    "fetch pictures and voicemails": {
        "task": "interactions.tasks.fetch_media",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    # A report that was lost must not leave a call under way, or a message on its way, for good.
    "ask about silent calls and messages": {
        "task": "interactions.tasks.ask_about_the_silent",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    # A message whose webhook was lost with all its retries is at the provider all the same.
    "find missed calls and messages": {
        "task": "interactions.tasks.find_what_was_missed",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    # Prices per minute and segment change rarely; the lists are long, so not all at once.
    "refresh rates": {
        "task": "interactions.tasks.refresh_rates",
        "schedule": 6 * 3600.0,
        "options": {"expires": 3600},
    },
    # What somebody changed in the provider's console, what vanished, what is billed to us and
    # belongs to nobody.
    "compare with the provider": {
        "task": "numbers.tasks.reconcile",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    # A suspended or closed account stops everything: told within minutes, and gone as soon.
    "look at the provider's account": {
        "task": "numbers.tasks.look_at_account",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    # An empty account at the provider stops every workspace, inbound too.
    "watch the provider's balance": {
        "task": "numbers.tasks.sample_balance",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    # Staff see from it that beat and a worker are alive.
    "beat": {
        "task": "numbers.tasks.watch_beat",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    # Country list and prices: the wizard answers from rows; the provider changes them rarely.
    "refresh prices": {
        "task": "numbers.tasks.refresh_prices",
        "schedule": 6 * 3600.0,
        "options": {"expires": 3600},
    },
    # Rent falls due at any minute of the day; an hour later it is paid or told as overdue.
    "collect rent": {
        "task": "numbers.tasks.collect_rent",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    # The list sorts by the next payment; rent itself keeps no order of it, to be fast.
    "follow payments": {
        "task": "numbers.tasks.follow_payments",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    # Should a due date ever be moved by hand, the order of the list is right the next day.
    "follow every payment": {
        "task": "numbers.tasks.follow_every_payment",
        "schedule": 24 * 3600.0,
        "options": {"expires": 3600},
    },
    # Who answers a number is noted for the list when it is decided. What a server of an older
    # version decided, or a new version calls otherwise, is right the next day.
    "follow every usage": {
        "task": "numbers.tasks.follow_every_usage",
        "schedule": 24 * 3600.0,
        "options": {"expires": 3600},
    },
    # Money that comes in rings a task; this is for what the ring did not reach. What is
    # covered works again within a minute.
    "settle arrears": {
        "task": "numbers.tasks.settle_arrears",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    # Numbers that are to go back to the provider: called until it confirms.
    "give numbers back": {
        "task": "numbers.tasks.give_numbers_back",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    # Prices change rarely, and nobody waits for this.
    "announce prices": {
        "task": "numbers.tasks.announce_prices",
        "schedule": 6 * 3600.0,
        "options": {"expires": 3600},
    },
}
