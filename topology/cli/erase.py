"""`tally erase`."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated

import asyncpg
import typer
from clickhouse_connect.driver.exceptions import ClickHouseError

from commands.client import CommandClient, OutcomeUnknown, Rejected
from commands.identity import new_id, user_id_of
from projections.contract import Fenced
from projections.erasure import texts_left
from schemas.commands.accounts import EraseUser
from schemas.sealing import KeysUnavailable
from schemas.wire import Codec
from topology.cli.options import DEFAULT_DATA, Data, Exit, PortBase, settings_of
from topology.settings import Settings
from topology.subject_keys.keyring import KafkaKeyring, open_keyring

PATIENCE_S = 120.0
LOOK_EVERY_S = 0.5


def erase(
    user: Annotated[str, typer.Argument(metavar="USER", help="The login, or with --id the user id.")],
    by_id: Annotated[bool, typer.Option("--id", help="USER is a user id.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: Data = DEFAULT_DATA,
    port_base: PortBase = None,
) -> None:
    """Erase a user for good: no sign-in any more, no key to what is written about them, nothing of it in read models.

    Asking again goes on where it stopped. Exit status 1: it is not all done, and standard error says what is not.
    """
    settings = settings_of(data, port_base)
    try:
        user_id = user if by_id else user_id_of(user)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="USER") from error
    keyring = open_keyring(settings)
    if keyring is None:
        typer.echo("Nothing is sealed here: TALLY_PRIVACY_MASTER_KEY is empty.", err=True)
        raise typer.Exit(Exit.FAILED)
    if not yes:
        typer.confirm(f"Erase {user} (user id {user_id})? Nobody can undo it.", abort=True)
    try:
        asyncio.run(_erase(settings, keyring, user_id))
    except (Rejected, OutcomeUnknown, KeysUnavailable) as error:
        typer.echo(f"Not erased: {error}", err=True)
        raise typer.Exit(Exit.FAILED) from error
    except (TimeoutError, OSError, asyncpg.PostgresError, ClickHouseError, Fenced) as error:
        typer.echo(f"The key is destroyed, but not every read model is clean yet: {error}", err=True)
        raise typer.Exit(Exit.FAILED) from error
    typer.echo(f"User {user_id} is erased.")


async def _erase(settings: Settings, keyring: KafkaKeyring, user_id: str) -> None:
    with closing(Codec(settings.schema_registry_url, keyring)) as codec:
        now = datetime.now(UTC)
        command = EraseUser(
            command_id=new_id(), issued_at=now, actor="system:erase", correlation_id=new_id(), user_id=user_id
        )
        async with CommandClient(settings, codec, ["accounts"]) as client:
            await client.submit(command, timeout_s=30.0)
        await asyncio.to_thread(keyring.erase, user_id)
    deadline = time.monotonic() + PATIENCE_S
    while left := await texts_left(settings, user_id):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{left} texts are left after {PATIENCE_S:.0f} s")
        await asyncio.sleep(LOOK_EVERY_S)
