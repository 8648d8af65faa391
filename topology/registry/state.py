"""What the registry knows, folded from its log, and what it decides from that. No I/O."""

from __future__ import annotations

from collections import defaultdict

from schemas.compatibility import InvalidSchemaError, canonical, why_incompatible
from topology.registry.errors import RegistryError, schema_not_found, subject_not_found, version_not_found
from topology.registry.records import LevelSet, Record, SchemaRegistered

MAX_SUBJECT_CHARS = 255
MAX_SUBJECTS = 10_000
MAX_VERSIONS = 1_000
DEFAULT_LEVEL = "BACKWARD_TRANSITIVE"


class RegistryState:
    """Subjects, their versions and levels, and every schema by id."""

    def __init__(self) -> None:
        self.by_id: dict[int, str] = {}
        self.level = DEFAULT_LEVEL
        self._versions: defaultdict[str, dict[int, SchemaRegistered]] = defaultdict(dict)
        self._ids: dict[str, int] = {}
        self._levels: dict[str, str] = {}

    def evolve(self, record: Record) -> None:
        """Take in the next record of the log."""
        match record:
            case SchemaRegistered():
                self._versions[record.subject][record.version] = record
                self.by_id[record.id] = record.schema
                self._ids.setdefault(canonical(record.schema), record.id)
            case LevelSet(subject=None):
                self.level = record.level
            case LevelSet(subject=str(subject)):
                self._levels[subject] = record.level

    def subjects(self) -> list[str]:
        return sorted(self._versions)

    def versions(self, subject: str) -> dict[int, SchemaRegistered]:
        """Raises RegistryError when the subject is unknown."""
        if subject not in self._versions:
            raise subject_not_found(subject)
        return self._versions[subject]

    def version(self, subject: str, version: int | None) -> SchemaRegistered:
        """A version of a subject, the latest for None. Raises RegistryError."""
        versions = self.versions(subject)
        number = max(versions) if version is None else version
        if number not in versions:
            raise version_not_found(number)
        return versions[number]

    def uses_of(self, schema_id: int) -> list[SchemaRegistered]:
        """Every subject and version that has this id. Raises RegistryError when there is no such id."""
        if schema_id not in self.by_id:
            raise schema_not_found()
        return [use for versions in self._versions.values() for use in versions.values() if use.id == schema_id]

    def level_of(self, subject: str) -> str:
        return self._levels.get(subject, self.level)

    def find(self, subject: str, schema: str) -> SchemaRegistered | None:
        """The version of the subject that equals this schema. Raises RegistryError on an invalid one."""
        wanted = self._ids.get(_canonical(schema))
        versions = self._versions.get(subject, {})
        return next((known for known in versions.values() if known.id == wanted), None)

    def check(self, subject: str, schema: str, version: int | None = None) -> str | None:
        """Why the schema may not follow the subject's versions (or that one version); None when it may."""
        _canonical(schema)
        if version is None:
            earlier = {number: known.schema for number, known in self._versions.get(subject, {}).items()}
        else:
            earlier = {version: self.version(subject, version).schema}
        return why_incompatible(schema, earlier, self.level_of(subject))

    def decide_registration(self, subject: str, schema: str) -> SchemaRegistered | None:
        """The record to append; None when the subject already has this schema. Raises RegistryError."""
        if self.find(subject, schema):
            return None
        _check_subject(subject)
        if subject not in self._versions and len(self._versions) >= MAX_SUBJECTS:
            raise RegistryError(42210, f"The registry already holds {MAX_SUBJECTS} subjects.")
        versions = self._versions.get(subject, {})
        if len(versions) >= MAX_VERSIONS:
            raise RegistryError(42210, f"Subject '{subject}' already has {MAX_VERSIONS} versions.")
        reason = self.check(subject, schema)
        if reason:
            raise RegistryError(409, f"Schema being registered is incompatible with an earlier schema: {reason}")
        schema_id = self._ids.get(_canonical(schema)) or max(self.by_id, default=0) + 1
        return SchemaRegistered(subject, max(versions, default=0) + 1, schema_id, schema)

    def decide_level(self, record: LevelSet) -> LevelSet | None:
        """The record to append; None when nothing would change. Raises RegistryError on a bad subject."""
        if record.subject is None:
            return None if self.level == record.level else record
        _check_subject(record.subject)
        if record.subject not in self._levels and len(self._levels) >= MAX_SUBJECTS:
            raise RegistryError(42210, f"The registry already holds levels for {MAX_SUBJECTS} subjects.")
        return None if self._levels.get(record.subject) == record.level else record


def _canonical(schema: str) -> str:
    try:
        return canonical(schema)
    except InvalidSchemaError as error:
        raise RegistryError(42201, f"Invalid schema: {error}") from error


def _check_subject(subject: str) -> None:
    if not subject or len(subject) > MAX_SUBJECT_CHARS or not subject.isprintable():
        raise RegistryError(42208, f"The subject must have 1 to {MAX_SUBJECT_CHARS} printable characters.")
