"""A batch of commands and the memory it is decided on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import structlog
from hypothesis import given
from hypothesis import strategies as st

from commands.aggregate import Aggregate, aggregates
from commands.batch import Verdict, decide_batch
from commands.memory import Memory, Outcome
from schemas.commands.accounts import IssueStreamKey
from schemas.commands.chat import SendMessage
from schemas.commands.follows import Follow, Unfollow
from schemas.events.accounts import UserRegistered
from schemas.message import Command, Event
from tests.commands.scenario import ADA, BOB, happened, wish
from topology.settings import Settings
from topology.topics import AGGREGATES

TABLE = aggregates(Settings())
FOLLOWS = TABLE["follows"]


def exists(channel_id: str) -> UserRegistered:
    return happened(UserRegistered, user_id=channel_id, login="x", display_name="X", password_hash="h")


def knowing(aggregate: Aggregate, *events: Event) -> Memory:
    memory = Memory(aggregate)
    for offset, event in enumerate(events):
        memory.apply(event, offset)
    return memory


def remember(memory: Memory, verdicts: list[Verdict]) -> None:
    for offset, event in enumerate(event for verdict in verdicts for event in verdict.events):
        memory.apply(event, offset)


def follow(command_id: str, channel_id: str = ADA, actor: str = BOB) -> Follow:
    return wish(Follow, actor=actor, command_id=command_id, channel_id=channel_id)


def unfollow(command_id: str) -> Unfollow:
    return wish(Unfollow, actor=BOB, command_id=command_id, channel_id=ADA)


def test_every_aggregate_has_a_decider() -> None:
    assert tuple(TABLE) == AGGREGATES


def test_each_command_sees_what_those_before_it_did() -> None:
    verdicts = decide_batch(FOLLOWS, knowing(FOLLOWS, exists(ADA)), [follow("1"), follow("2"), unfollow("3")])

    assert [len(verdict.events) for verdict in verdicts] == [1, 0, 1]
    assert not any(verdict.rejected for verdict in verdicts)


def test_deciding_changes_nothing_so_that_an_aborted_batch_is_decided_again_alike() -> None:
    memory = knowing(FOLLOWS, exists(ADA))
    batch = [follow("1"), unfollow("2"), follow("3")]

    assert decide_batch(FOLLOWS, memory, batch) == decide_batch(FOLLOWS, memory, batch)


def test_a_command_that_comes_twice_in_a_batch_is_decided_once() -> None:
    verdicts = decide_batch(FOLLOWS, knowing(FOLLOWS, exists(ADA)), [follow("1"), unfollow("2"), follow("1")])

    assert [len(verdict.events) for verdict in verdicts] == [1, 1, 0]
    assert verdicts[2].repeated


def test_a_command_that_comes_again_later_is_answered_as_before() -> None:
    accounts = TABLE["accounts"]
    memory = knowing(accounts, exists(ADA))
    command = wish(IssueStreamKey, command_id="1", user_id=ADA, key_id="k1", key_hash="h")
    remember(memory, decide_batch(accounts, memory, [command]))

    (verdict,) = decide_batch(accounts, memory, [command])

    assert verdict.earlier == Outcome(0, {"key_id": "k1"})
    assert not verdict.events


def test_the_same_command_id_on_another_channel_is_another_command() -> None:
    verdicts = decide_batch(
        FOLLOWS, knowing(FOLLOWS, exists(ADA), exists("1003")), [follow("1"), follow("1", channel_id="1003")]
    )

    assert [len(verdict.events) for verdict in verdicts] == [1, 1]


def test_a_refused_command_may_be_tried_again() -> None:
    memory = Memory(FOLLOWS)
    (refused,) = decide_batch(FOLLOWS, memory, [follow("1")])
    assert refused.rejected is not None and refused.rejected.code == "unknown_channel"

    memory.apply(exists(ADA), 0)

    assert decide_batch(FOLLOWS, memory, [follow("1")])[0].events


def test_a_decider_that_fails_refuses_the_command_and_the_rest_goes_on() -> None:
    def decide(command: Command, state: Any) -> list[Event]:
        if command.command_id == "bad":
            raise ZeroDivisionError("a bug")
        return list(FOLLOWS.decide(command, state))

    with structlog.testing.capture_logs() as logs:
        verdicts = decide_batch(
            replace(FOLLOWS, decide=decide), knowing(FOLLOWS, exists(ADA)), [follow("bad"), follow("good")]
        )

    assert verdicts[0].rejected is not None and verdicts[0].rejected.code == "internal_error"
    assert "ZeroDivisionError" not in verdicts[0].rejected.message
    assert verdicts[1].events
    assert [(entry["command_id"], entry["correlation_id"]) for entry in logs] == [("bad", "c")]


def test_an_aggregate_remembers_a_bounded_number_of_commands() -> None:
    chat = replace(TABLE["chat"], remembered=10)
    memory = knowing(chat, exists(ADA))
    for number in range(25):
        command = wish(
            SendMessage,
            actor=BOB,
            at_s=60 * number,
            command_id=str(number),
            channel_id=ADA,
            sender_login="bob",
            text="hi",
        )
        for event in decide_batch(chat, memory, [command])[0].events:
            memory.apply(event, number)

    known = [number for number in range(25) if memory.outcome(ADA, str(number)) is not None]
    assert known == list(range(15, 25))


@given(
    st.lists(
        st.tuples(st.sampled_from([Follow, Unfollow]), st.sampled_from([BOB, "1003"]), st.sampled_from("abcdefgh")),
        max_size=30,
    ),
    st.integers(1, 7),
)
def test_however_commands_are_batched_a_replay_of_the_log_knows_the_same(
    asked: list[tuple[type[Follow | Unfollow], str, str]], size: int
) -> None:
    commands = [wish(kind, actor=actor, command_id=name, channel_id=ADA) for kind, actor, name in asked]
    live, log = knowing(FOLLOWS, exists(ADA)), [exists(ADA)]
    for begin in range(0, len(commands), size):
        for verdict in decide_batch(FOLLOWS, live, commands[begin : begin + size]):
            for event in verdict.events:
                live.apply(event, len(log))
                log.append(event)  # type: ignore[arg-type]

    replayed = knowing(FOLLOWS, *log)

    assert replayed.state(ADA) == live.state(ADA)
    for name in "abcdefgh":
        assert replayed.outcome(ADA, name) == live.outcome(ADA, name)
    decided = [event.command_id for event in log[1:]]
    assert len(decided) == len(set(decided)), "a command was decided twice"
