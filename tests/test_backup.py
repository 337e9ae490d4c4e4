"""docs/production.md says how to back up and restore; here it is done, into a new server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from embedded import binaries
from embedded.part import CHECKOUT, Parts
from embedded.postgres import Postgres
from embedded.var_dir import VarDir
from numbers import quote as quotes
from numbers.pricing import price_of
from numbers.purchase import purchase_number
from telephony import provider
from telephony.values import NumberQuery, NumberType
from wallet import ledger
from wallet.models import Wallet

BIN = binaries.postgres_bin()
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not (BIN / "pg_dump").exists(), reason=f"{BIN} has no pg_dump"),
]

TABLES = """
    SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname
"""


@pytest.fixture
def new_server() -> Iterator[str]:
    """The address of an empty database in a PostgreSQL that has just been made."""
    with (
        TemporaryDirectory(prefix="numbers-") as folder,
        VarDir(Path(folder)) as var,
        Parts() as parts,
    ):
        server = Postgres(
            data=var.path / "postgres", runtime=var.runtime, log=var.log("postgres"), durable=False
        )
        parts.add(server.part)
        server.start()
        yield server.url


def run(*command: object, **env: str) -> str:
    done = subprocess.run(
        [str(word) for word in command], cwd=CHECKOUT, env=os.environ | env, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def address() -> str:
    """Of the database that the tests stand on, for PostgreSQL's own programs."""
    info = connection.connection.info
    return psycopg.conninfo.make_conninfo(
        host=info.host, port=info.port, user=info.user, password=info.password, dbname=info.dbname
    )


def counts(where: str) -> dict[str, int]:
    """Rows of each table."""
    with psycopg.connect(where) as database:
        names = [name for (name,) in database.execute(TABLES)]
        every = {
            name: sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name)) for name in names
        }
        return {name: database.execute(count).fetchone()[0] for name, count in every.items()}


def test_what_is_dumped_is_restored_in_a_new_server_to_the_last_cent(
    acme, owner, simulator, new_server, tmp_path
):
    query = NumberQuery(country="US", number_type=NumberType.LOCAL, area_code="212", limit=1)
    [offer] = provider.search(query)
    quote = quotes.new_quote(offer, price_of("US", NumberType.LOCAL), "country=US")
    purchase_number(workspace=acme, by=owner, quote=quote)
    wallet = Wallet.objects.get(workspace=acme)
    ledger.hold(
        wallet=wallet, amount=Decimal(3), currency="USD", key="h", text="Hold", reference="o"
    )
    before = counts(address())
    assert before["wallet_entry"] == 2
    dump = tmp_path / "numbers.dump"

    run(BIN / "pg_dump", "--format=custom", "--no-owner", "--file", dump, "--dbname", address())
    run(BIN / "pg_restore", "--exit-on-error", "--no-owner", "--dbname", new_server, dump)

    assert counts(new_server) == before
    restored = {"DATABASE_URL": new_server}
    manage = (sys.executable, "manage.py")
    run(*manage, "migrate", "--check", **restored)
    assert "2 entries, all figures right" in run(*manage, "verify_ledger", **restored)
    with psycopg.connect(new_server) as database:
        [balance] = database.execute("SELECT balance FROM wallet_wallet").fetchone()
        assert balance == Decimal("50.00") - Decimal("1.38")
        with pytest.raises(psycopg.Error, match="wallet entries are never changed"):
            database.execute("UPDATE wallet_entry SET amount = amount + 1")
