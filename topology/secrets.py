"""The secrets of one local system: made on its first start, kept in a file that only its owner reads."""

from __future__ import annotations

import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from topology.settings import Settings


def _new() -> str:
    return secrets.token_urlsafe(24)


class Secrets(BaseModel):
    """Fields without a default of their own are random; the demo channel's are filled once it is registered."""

    model_config = ConfigDict(frozen=True)

    pepper: str = Field(default_factory=_new)
    privacy_master_key: str = Field(default_factory=_new)
    postgres_password: str = Field(default_factory=_new)
    clickhouse_password: str = Field(default_factory=_new)
    clickhouse_analyst_password: str = Field(default_factory=_new)
    demo_password: str = Field(default_factory=_new)
    demo_stream_key: str = ""
    demo_token: str = ""
    demo_token_expires_at: datetime | None = None

    @classmethod
    def load(cls, data_dir: Path) -> Self | None:
        """The system's secrets; None before its first start."""
        try:
            return cls.model_validate_json(_file(data_dir).read_bytes())
        except FileNotFoundError:
            return None

    @classmethod
    def load_or_make(cls, data_dir: Path) -> Self:
        """The system's secrets, made now if this is its first start."""
        found = cls.load(data_dir) or cls()
        if found.model_fields_set != set(cls.model_fields):  # it was made now, or before a secret was added
            found = found.model_validate(found.model_dump())
            found.save(data_dir)
        return found

    def save(self, data_dir: Path) -> None:
        """Write the file whole or not at all, mode 0600."""
        fresh = _file(data_dir).with_suffix(f".{os.getpid()}")
        fresh.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self.model_dump_json(indent=2))
        fresh.replace(_file(data_dir))

    def apply(self, settings: Settings) -> Settings:
        """The settings with their passwords filled in."""
        return settings.model_copy(
            update={
                "pepper": SecretStr(self.pepper),
                "privacy_master_key": SecretStr(self.privacy_master_key),
                "postgres_dsn": SecretStr(
                    f"postgresql://tally:{self.postgres_password}@127.0.0.1:{settings.postgres_port}/tally"
                ),
                "clickhouse_password": SecretStr(self.clickhouse_password),
                "clickhouse_analyst_password": SecretStr(self.clickhouse_analyst_password),
            }
        )


def _file(data_dir: Path) -> Path:
    return data_dir / "secrets.json"
