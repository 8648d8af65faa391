"""One partition of an aggregate while this process decides it, and how what was decided of some is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from typing import NamedTuple

from confluent_kafka import TopicPartition

from commands.aggregate import Aggregate, id_of
from commands.batch import Verdict, decide_batch
from commands.inbox import Batch
from commands.memory import Memory, Outcome
from commands.writer import Record, Writer
from schemas.commands.results import CommandAccepted, CommandRejected
from schemas.message import Event, Result
from schemas.wire import Codec

NOTHING_HAPPENED = Outcome(-1, {})


class Partition:
    """What is known of it."""

    def __init__(self, aggregate: Aggregate, number: int, codec: Codec) -> None:
        self.memory = Memory(aggregate)
        self._aggregate = aggregate
        self._number = number
        self._codec = codec

    def decide(self, batch: Batch) -> list[Verdict]:
        """The verdicts on the batch's commands; nothing is changed yet."""
        return decide_batch(self._aggregate, self.memory, batch.commands)

    def asides(self, verdicts: Sequence[Verdict]) -> list[Record]:
        """What belongs on other topics; it comes back as facts."""
        return [self._record(event) for verdict in verdicts for event in verdict.events if not self._is_own(event)]

    def events(self, verdicts: Sequence[Verdict]) -> list[Record]:
        """What happened, on the aggregate's own topic."""
        return [self._record(event) for event in self._own(verdicts)]

    def answers(self, batch: Batch, verdicts: Sequence[Verdict], offsets: Sequence[int]) -> list[Record]:
        """Results and dead letters, given the offsets of all new own events."""
        return [
            *(self._result_record(result) for result in self._results(verdicts, offsets)),
            *(Record(letter.topic, letter.key, self._codec.encode(letter)) for letter in batch.dead_letters),
        ]

    def done(self, batch: Batch) -> TopicPartition:
        """The place in the command topic behind the batch."""
        return TopicPartition(self._aggregate.commands_topic, self._number, batch.next_offset)

    def remember(self, verdicts: Sequence[Verdict], offsets: Sequence[int]) -> None:
        """Fold the new own events, which lie at these offsets."""
        for event, offset in zip(self._own(verdicts), offsets, strict=True):
            self.memory.apply(event, offset)

    def _own(self, verdicts: Sequence[Verdict]) -> list[Event]:
        return [event for verdict in verdicts for event in verdict.events if self._is_own(event)]

    def _is_own(self, event: Event) -> bool:
        return event.topic == self._aggregate.name

    def _record(self, event: Event) -> Record:
        return Record(event.topic, event.key, self._codec.encode(event), self._number)

    def _result_record(self, result: Result) -> Record:
        # Results share the commands' partition: one marker less to write for each transaction.
        return Record(self._aggregate.results_topic, result.key, self._codec.encode(result), self._number)

    def _results(self, verdicts: Sequence[Verdict], offsets: Sequence[int]) -> list[Result]:
        """One result per verdict, given the offsets of all new events of the aggregate's own."""
        results: list[Result] = []
        outcomes: dict[tuple[str, str], Outcome] = {}
        written = 0
        for verdict in verdicts:
            command = id_of(verdict.command), verdict.command.command_id
            if verdict.events:
                written += sum(map(self._is_own, verdict.events))
                outcome = Outcome(offsets[written - 1], self._aggregate.reply(verdict.events[-1]))
                outcomes[command] = outcome
            elif verdict.repeated:
                outcome = outcomes[command]
            else:
                outcome = verdict.earlier or NOTHING_HAPPENED
            results.append(self._result(verdict, outcome))
        return results

    def _result(self, verdict: Verdict, outcome: Outcome) -> Result:
        command, rejected = verdict.command, verdict.rejected
        if rejected is not None:
            return CommandRejected(
                command_id=command.command_id,
                correlation_id=command.correlation_id,
                decided_at=datetime.now(UTC),
                code=rejected.code,
                message=rejected.message,
                retry_after_ms=rejected.retry_after_ms,
            )
        return CommandAccepted(
            command_id=command.command_id,
            correlation_id=command.correlation_id,
            decided_at=datetime.now(UTC),
            event_topic=self._aggregate.name,
            partition=self._number,
            offset=outcome.offset,
            reply=outcome.reply,
        )


class Decided(NamedTuple):
    """A batch of a partition with its verdicts."""

    partition: Partition
    batch: Batch
    verdicts: Sequence[Verdict]


def write(writer: Writer, decided: Sequence[Decided]) -> None:
    """Append events, results, dead letters; then remember. Raises Stopping; KafkaException: start over."""
    writer.begin()
    if asides := [*chain(*(partition.asides(verdicts) for partition, _, verdicts in decided))]:
        writer.append(
            asides
        )  # before the own: a crash in between then repeats them, under the same ids, and loses none
    # An event's place is known when the broker has it, and the results carry it: so two rounds.
    events = [partition.events(verdicts) for partition, _, verdicts in decided]
    offsets = iter(writer.append([*chain(*events)]))
    places = [list(islice(offsets, len(records))) for records in events]
    answers = [
        partition.answers(batch, verdicts, at) for (partition, batch, verdicts), at in zip(decided, places, strict=True)
    ]
    writer.commit([partition.done(batch) for partition, batch, _ in decided], [*chain(*answers)])
    for (partition, _, verdicts), at in zip(decided, places, strict=True):
        partition.remember(verdicts, at)
