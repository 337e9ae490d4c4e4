"""For migrations: the database itself refuses a row that points across workspaces.

A plain foreign key proves that the other row exists. Of two rows that each belong to a
workspace it should prove as well that they belong to the same one, whatever the code above
forgot: the workspace becomes part of the key.

    operations = [
        key_with_workspace("numbers_numberorder"),
        same_workspace("numbers_orderline", "order_id", "numbers_numberorder"),
    ]

The wallet's tables know their workspace as ``wallet_id``: the wallet's key is the
workspace's. Where the plain key would cost too much beside it, give the model's field
``db_constraint=False``: this one proves everything that the plain one does.
"""

from django.db import migrations

WORKSPACE = "workspace_id"


def key_with_workspace(table: str, *, workspace: str = WORKSPACE) -> migrations.RunSQL:
    """What ``same_workspace`` refers to, once for each table that is referred to."""
    name = f"{table}_with_workspace"
    return migrations.RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE ({workspace}, id)",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


def same_workspace(
    table: str, column: str, parent: str,
    *, workspace: str = WORKSPACE, parent_workspace: str = WORKSPACE,
) -> migrations.RunSQL:  # fmt: skip
    """``column`` of ``table`` points at a row of ``parent`` in the same workspace, or nowhere."""
    name = f"{table}_{column}_same_workspace"
    return migrations.RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({workspace}, {column}) "
        f"REFERENCES {parent} ({parent_workspace}, id)",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )
