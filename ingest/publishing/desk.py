"""Judges publishes by the deciders' word, and keeps account of what this node holds."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from contextlib import suppress

import structlog

from commands.client import Accepted, OutcomeUnknown, Rejected
from ingest.desk import BAD_NAME, PUBLISH_FAILED, Cut, Refused, Role
from ingest.media.live import LiveStream
from ingest.publishing import wishes
from ingest.publishing.holding import Holding, Phase, Tools
from ingest.publishing.journal import Entry
from ingest.publishing.outbox import Outbox, submit_until_known
from ingest.publishing.pair import Air

ANSWER_S = 8.0
"""How long a publisher waits for its answer; later outcomes are undone."""

REMEMBERED_REVOCATIONS = 1024
STOP_S = 5.0

_TOLD = ("stream_id", "key_id", "playback_policy")

_log = structlog.get_logger(__name__)

OpenLive = Callable[[Entry], LiveStream]
"""Makes the media side of the stream that an entry holds."""


class StreamDesk:
    """`recover` takes up what an earlier process left; call it once, before publishers come."""

    def __init__(self, tools: Tools, open_live: OpenLive) -> None:
        self._tools = tools
        self._open_live = open_live
        self._holdings: dict[str, Holding] = {}
        """By session id."""
        self._revoked: OrderedDict[str, None] = OrderedDict()
        self._settling: set[asyncio.Task[None]] = set()

    async def authorise(self, key: str, role: Role, session_id: str, cut: Cut) -> Holding:
        """Raises Refused."""
        try:
            asked = wishes.authorise(key, role, session_id, self._tools.node)
        except ValueError as error:
            raise Refused("bad_stream_key", BAD_NAME, "that is no stream key; take it from the dashboard") from error
        entry = Entry(asked=asked)
        self._tools.journal.write(entry)
        try:
            accepted = await self._tools.submitter.submit(asked, ANSWER_S)
        except Rejected as rejected:
            self._tools.journal.remove(session_id)
            raise Refused(rejected.code, BAD_NAME, rejected.message) from rejected
        except OutcomeUnknown as error:
            self._settle(self._undo(entry))
            raise Refused("unavailable", PUBLISH_FAILED, "not available at the moment; try again") from error
        entry = _answered(entry, accepted)
        if "standby" in accepted.reply:
            return self._stand_by(entry, cut)
        return self._hold(entry, cut, resumed=accepted.reply["resumed"] == "true")

    def revoke(self, key_id: str) -> None:
        """End what a key opened. Remembered for publishes whose answer is under way."""
        self._revoked[key_id] = None
        if len(self._revoked) > REMEMBERED_REVOCATIONS:
            self._revoked.popitem(last=False)
        opened = [holding for holding in self._holdings.values() if holding.entry.key_id == key_id]
        # Whoever stands by first, or it would take over for a moment.
        for holding in sorted(opened, key=lambda holding: holding.phase is not Phase.STANDBY):
            holding.revoke()

    def channel_of(self, stream_id: str) -> str:
        """The channel of a stream that this node holds; "" when it holds no such stream."""
        return next((held.entry.channel_id for held in self._holdings.values() if held.stream_id == stream_id), "")

    def pictured(self, stream_id: str) -> None:
        """There is a first picture of the stream."""
        for holding in self._holdings.values():
            if holding.stream_id == stream_id and holding.phase in (Phase.PUBLISHING, Phase.GRACE):
                holding.outbox.put(wishes.publish_thumbnail(holding.entry))

    def recover(self) -> None:
        """Say of each publisher that an earlier process had that it is gone; it may resume within the grace."""
        for entry in self._tools.journal.entries():
            _log.info("publisher lost with an earlier process", session_id=entry.session_id, stream_id=entry.stream_id)
            if entry.stream_id:
                self._vanished(entry, started=True)
            else:
                self._settle(self._undo(entry))

    async def stop(self) -> None:
        """Have what was said so far known, for a while; the journal keeps the rest."""
        waiting = [holding.outbox.drained() for holding in self._holdings.values()]
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*waiting, *self._settling), STOP_S)
        for holding in list(self._holdings.values()):
            holding.abandon()
        for task in self._settling:
            task.cancel()

    def _hold(self, entry: Entry, cut: Cut, *, resumed: bool) -> Holding:
        live = None
        for other in list(self._holdings.values()):
            if other.entry.channel_id == entry.channel_id:
                if other.stream_id == entry.stream_id:
                    live = other.hand_over()
                else:
                    other.lose()
        live = live or self._open_live(entry)
        return self._open(self._add(entry, live, started=resumed, cut=cut))

    def _stand_by(self, entry: Entry, cut: Cut) -> Holding:
        """Raises Refused when the stream ended while the question was out."""
        same = [holding for holding in self._holdings.values() if holding.stream_id == entry.stream_id]
        on_air = next((holding for holding in same if holding.phase is Phase.PUBLISHING), None)
        if on_air is not None:
            entry = _beside(entry, on_air)
            holding = self._add(entry, None, started=False, cut=cut, outbox=on_air.outbox)
            holding.stand_by_for(on_air)
            return self._open(holding)
        gone = next((holding for holding in same if holding.phase is Phase.GRACE), None)
        if gone is None:
            self._tools.journal.remove(entry.session_id)
            raise Refused("not_live", PUBLISH_FAILED, "the stream has just ended; publish again")
        entry = _beside(entry, gone)
        live = gone.hand_over() or self._open_live(entry)
        holding = self._add(entry, None, started=True, cut=cut, outbox=gone.outbox)
        holding.step_up(Air(live, started=True), "lost")
        return self._open(holding)

    def _open(self, holding: Holding) -> Holding:
        self._tools.journal.write(holding.entry)
        if holding.entry.key_id in self._revoked:
            asyncio.get_running_loop().call_soon(holding.revoke)
        return holding

    def _vanished(self, entry: Entry, *, started: bool) -> None:
        self._add(entry, None, started=started, cut=None).vanish("ingest_lost")

    def _add(
        self,
        entry: Entry,
        live: LiveStream | None,
        *,
        started: bool,
        cut: Cut | None,
        outbox: Outbox | None = None,
    ) -> Holding:
        holding = Holding(entry, self._tools, live, self._forget, started=started, cut=cut, outbox=outbox)
        self._holdings[entry.session_id] = holding
        return holding

    def _forget(self, holding: Holding) -> None:
        self._holdings.pop(holding.entry.session_id, None)

    def _settle(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _undo(self, entry: Entry) -> None:
        """Learn what became of a publish whose publisher is gone, and give the place back if it was given."""
        outcome = await submit_until_known(self._tools.submitter, entry.asked)
        if isinstance(outcome, Accepted) and "stream_id" in outcome.reply:
            self._vanished(_answered(entry, outcome), started=outcome.reply.get("resumed") != "false")
        else:
            self._tools.journal.remove(entry.session_id)


def _beside(entry: Entry, other: Holding) -> Entry:
    """What is the stream's is not asked again."""
    return entry.model_copy(update={"playback_policy": other.entry.playback_policy})


def _answered(entry: Entry, accepted: Accepted) -> Entry:
    told = {name: accepted.reply[name] for name in _TOLD if name in accepted.reply}
    return entry.model_copy(update=told)
