"""Each row of a workspace says which it is of, and the database holds it to that."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from tests.isolation import world as worlds
from wallet.models import Entry, Hold
from workspaces.models import User, Workspace

pytestmark = pytest.mark.django_db

OURS = {config.label for config in apps.get_app_configs() if "." not in config.name} - {"csp"}
# What a row is found by: its workspace, or the wallet, whose own key is the workspace's.
KEYS = ("workspace", "wallet")

# Columns that an index may begin with instead, whatever the table. An index may also begin
# with a parent of the same workspace, which the composite key holds.
NAMES = {
    "public_id": "unguessable, and looked up within the workspace",
    "reference": "people read it to support, who look through all of them",
    "sid": "the provider's own key; webhooks come with it alone",
    "provider_sid": "the provider's own key; webhooks come with it alone",
}
# Other indexes that do not begin with the workspace. Add one with its reason, or put the
# workspace first.
SWEEP = "a sweep goes on for all workspaces, and it holds only these"
EXCEPTIONS = {
    "workspaces_membership.user_id": "where a person is a member: the home page and the switcher",
    "workspaces_invitation.token_hash": "whoever opens the link is not in the workspace yet",
    "number_owned_once": "the provider's account has a number once, whoever owns it here",
    "order_line_number_under_way_once": "the provider sells a number once, whoever orders it",
    "difference_open_once": "the provider's number may be nobody's here",
    "difference_open": "staff look through those of all workspaces",
    "numbers_rentline.charged_at": "BRIN: a few pages for all, since lines are written in order",
    "wallet_topup.payment_intent_id": "Stripe's own key; its webhooks come with it alone",
} | dict.fromkeys(
    [
        "numbers_paymentplace.due_at", "wallet_savedcard.asked_at",
        "invitation_unsent", "notice_unsent", "number_webhooks_missing", "order_line_due",
        "number_being_given_back", "numbers_number.name_unsent_since", "numbers_number.release_at",
        "numbers_number.parked_at", "wallet_topup.asked_at", "interactions_call.ended_at",
        "interactions_call.at", "interactions_callleg.ended_at", "interactions_message.ended_at",
        "interactions_message.at", "interactions_mediafile.next_try_at",
        "interactions_usage.next_try_at", "interactions_voicemail.next_try_at",
    ],
    SWEEP,
)  # fmt: skip

# Rows that no workspace sees, and that are about it all the same.
OF_STAFF = {
    "interactions.ArrivedForNobody": "what no workspace took, for support staff alone",
}

# Rows that may be about something that is nobody's.
MAY_BE_NOBODYS = {
    "numbers.Difference": "a number at the provider that no workspace owns",
}


def owned_models() -> list[type[models.Model]]:
    """Our models that lead to a workspace by their foreign keys, on whatever way."""
    ours = [model for model in apps.get_models() if model._meta.app_label in OURS]
    owned: set[type[models.Model]] = {Workspace}
    while more := {
        model for model in ours
        if model not in owned | {User} and any(to in owned for _, to in foreign_keys(model))
    }:  # fmt: skip
        owned |= more
    owned = {model for model in owned if model._meta.label not in OF_STAFF}
    return sorted(owned - {Workspace}, key=lambda model: model._meta.label)


def foreign_keys(model: type[models.Model]) -> Iterator[tuple[models.Field, type[models.Model]]]:
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey):
            yield field, field.related_model


def key_of(model: type[models.Model]) -> models.Field | None:
    fields = {field.name: field for field in model._meta.concrete_fields}
    return next((fields[name] for name in KEYS if name in fields), None)


def select(query: str, *values: object) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


def columns(ids: str, table: str) -> str:
    """SQL: the names of a table's columns with these numbers, in their order."""
    return f"""ARRAY(SELECT attname::text FROM unnest({ids}) WITH ORDINALITY AS k (attnum, place)
               JOIN pg_attribute USING (attnum) WHERE attrelid = {table} ORDER BY place)"""


def test_every_model_that_leads_to_a_workspace_names_it_itself():
    missing = [
        f"{model._meta.label} leads to a workspace and has neither `workspace` nor `wallet`, not "
        "null: let it inherit WorkspaceOwned"
        for model in owned_models()
        if (key := key_of(model)) is None or (key.null and model._meta.label not in MAY_BE_NOBODYS)
    ]
    assert not missing, "\n".join(missing)
    assert len(owned_models()) > 7, "the walk found too little to prove anything"


INDEXES = f"""
    SELECT index.relname, {columns("indkey::int2[]", "indrelid")}
    FROM pg_index JOIN pg_class index ON index.oid = indexrelid
    WHERE indrelid = %s::regclass AND NOT indisprimary"""


def test_the_workspace_is_first_in_every_index():
    wrong = []
    for model in owned_models():
        table, key = model._meta.db_table, key_of(model)
        first = {key.column, *NAMES, *parents_of(model)}
        for name, fields in select(INDEXES, table):
            alone = f"{table}.{fields[0]}" if len(fields) == 1 else name
            if fields[0] not in first and not {name, alone} & set(EXCEPTIONS):
                wrong.append(f"{alone or name} is on {fields}: {key.column} first, or an exception")
    assert not wrong, "\n".join(wrong)


def test_no_exception_has_outlived_its_index():
    there = set()
    for model in owned_models():
        for name, fields in select(INDEXES, model._meta.db_table):
            there |= {name, f"{model._meta.db_table}.{fields[0]}" if len(fields) == 1 else ""}
    assert set(EXCEPTIONS) - there == set()


def parents_of(model: type[models.Model]) -> set[str]:
    """The columns that the database holds to the row's own workspace."""
    return {
        field.column
        for field, to in foreign_keys(model)
        if to in owned_models() and holds_workspace(model, field, to)
    }


COMPOSITE = f"""
    SELECT {columns("conkey", "conrelid")}, {columns("confkey", "confrelid")}
    FROM pg_constraint
    WHERE contype = 'f' AND conrelid = %s::regclass AND confrelid = %s::regclass"""


CHECKED = f"""
    SELECT {columns("conkey", "conrelid")} FROM pg_constraint
    WHERE contype = 'c' AND conrelid = %s::regclass"""


def holds_workspace(model: type[models.Model], field: models.Field, to: type[models.Model]) -> bool:
    here, there = model._meta.db_table, to._meta.db_table
    if to._meta.pk is key_of(to):  # a wallet, whose key is its workspace
        return [sorted([key_of(model).column, field.column])] in [
            [sorted(columns) for columns in row] for row in select(CHECKED, here)
        ]
    wanted = ([key_of(model).column, field.column], [key_of(to).column, to._meta.pk.column])
    return wanted in select(COMPOSITE, here, there)


def test_every_key_between_two_of_them_holds_the_workspace_too():
    owned, missing = owned_models(), []
    for model in owned:
        for field, to in foreign_keys(model):
            if to in owned and field is not key_of(model) and not holds_workspace(model, field, to):
                here, there = model._meta.db_table, to._meta.db_table
                missing.append(
                    f"{model._meta.label}.{field.name} may point across workspaces. In a migration "
                    f'(workspaces/same_workspace.py): key_with_workspace("{there}") once, and '
                    f'same_workspace("{here}", "{field.column}", "{there}")'
                )
    assert not missing, "\n".join(missing)


@pytest.fixture
def world(simulator) -> worlds.World:
    return worlds.build()


def test_the_database_refuses_a_row_that_points_across_workspaces(world):
    attempts = [
        ("numbers_rentdue", f"workspace_id = {world.globex.pk}"),
        ("numbers_numberorder", f"workspace_id = {world.globex.pk}"),
        ("numbers_number", f"workspace_id = {world.globex.pk}"),
    ]
    for table, change in attempts:
        with (
            pytest.raises(DatabaseError, match="same_workspace"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"UPDATE {table} SET {change}")


def test_an_entry_takes_from_no_hold_of_another_wallet(world):
    [hold], entry = Hold.objects.filter(wallet=world.acme.pk), Entry.objects.latest("pk")
    with pytest.raises(DatabaseError, match="wallet_entry_hold_id_same_workspace"):
        Entry.objects.create(
            wallet_id=world.globex.pk, hold=hold, seq=99, kind="purchase", amount=-1, contra="x",
            balance_after=1, available_after=1, key="x", text="x", created_at=entry.created_at,
        )  # fmt: skip
