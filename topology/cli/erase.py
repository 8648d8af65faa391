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

from commands.client import CommandClient
from commands.identity import new_id, user_id_of
from projections.contract import Fenced
from projections.erasure import texts_left
from schemas.commands.accounts import EraseUser
from schemas.wire import Codec
from topology.cli.options import DEFAULT_DATA, Data, Exit, PortBase, settings_of
from topology.settings import Settings
from topology.subject_keys.keyring import open_keyring

PATIENCE_S = 120.0
SUBMIT_S = 30.0
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
        with closing(Codec(settings.schema_registry_url, keyring)) as codec:
            asyncio.run(_end_account(settings, codec, user_id))
            keyring.erase(user_id)
    except Exception as error:  # the registry's client lets whatever its transport meets through
        typer.echo(f"Not erased: {str(error) or 'Kafka does not answer'}", err=True)
        raise typer.Exit(Exit.FAILED) from error
    try:
        asyncio.run(_cleaned(settings, user_id))
    except (TimeoutError, OSError, asyncpg.PostgresError, ClickHouseError, Fenced) as error:
        typer.echo(f"The key is destroyed, but not every read model is clean yet: {error}", err=True)
        raise typer.Exit(Exit.FAILED) from error
    typer.echo(f"User {user_id} is erased.")


async def _end_account(settings: Settings, codec: Codec, user_id: str) -> None:
    now = datetime.now(UTC)
    command = EraseUser(
        command_id=new_id(), issued_at=now, actor="system:erase", correlation_id=new_id(), user_id=user_id
    )
    async with asyncio.timeout(PATIENCE_S), CommandClient(settings, codec, ["accounts"]) as client:
        await client.submit(command, timeout_s=SUBMIT_S)


async def _cleaned(settings: Settings, user_id: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while left := await texts_left(settings, user_id):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{left} texts are left after {PATIENCE_S:.0f} s")
        await asyncio.sleep(LOOK_EVERY_S)
