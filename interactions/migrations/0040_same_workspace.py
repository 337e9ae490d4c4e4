"""No call, message, test or charge is about another workspace's number, conversation or money."""

from django.db import migrations

from workspaces.same_workspace import key_with_workspace, same_workspace

PARENTS = (
    "interactions_conversation", "interactions_route", "interactions_call",
    "interactions_callleg", "interactions_message",
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ("interactions", "0003_search"),
        ("numbers", "0040_same_workspace"),
        ("wallet", "0040_same_workspace"),
    ]

    operations = [
        *[key_with_workspace(table) for table in PARENTS],
        same_workspace("interactions_conversation", "number_id", "numbers_number"),
        same_workspace("interactions_route", "number_id", "numbers_number"),
        *[
            operation
            for table in ("interactions_call", "interactions_message")
            for operation in (
                same_workspace(table, "conversation_id", "interactions_conversation"),
                same_workspace(table, "number_id", "numbers_number"),
            )
        ],
        same_workspace("interactions_call", "route_id", "interactions_route"),
        same_workspace("interactions_callleg", "call_id", "interactions_call"),
        same_workspace("interactions_voicemail", "call_id", "interactions_call"),
        same_workspace("interactions_mediafile", "message_id", "interactions_message"),
        same_workspace("interactions_numbertest", "number_id", "numbers_number"),
        same_workspace("interactions_numbertest", "sender_id", "numbers_number"),
        same_workspace("interactions_numbertest", "call_id", "interactions_call"),
        same_workspace("interactions_numbertest", "message_id", "interactions_message"),
        same_workspace("interactions_usage", "call_id", "interactions_call"),
        same_workspace("interactions_usage", "leg_id", "interactions_callleg"),
        same_workspace("interactions_usage", "message_id", "interactions_message"),
        same_workspace(
            "interactions_usage", "hold_id", "wallet_hold", parent_workspace="wallet_id"
        ),
        same_workspace(
            "interactions_usage", "entry_id", "wallet_entry", parent_workspace="wallet_id"
        ),
    ]
