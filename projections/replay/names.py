"""The read models by the names that users give them: `postgres.chat`, `clickhouse.stream-health`."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from projections.clickhouse.log import LOGS, EventLog
from projections.models import MODELS
from projections.replay.errors import UnknownModel
from projections.tables import Model

StoreName = Literal["postgres", "clickhouse"]
STORES: tuple[StoreName, ...] = get_args(StoreName)


class ReadModel(NamedTuple):
    """One projection in one store."""

    store: StoreName
    projection: Model | EventLog

    @property
    def topic(self) -> str:
        return self.projection.topic

    def __str__(self) -> str:
        return f"{self.store}.{self.topic if self.store == 'clickhouse' else self.projection.name}"


ALL = (*(ReadModel("postgres", model) for model in MODELS), *(ReadModel("clickhouse", log) for log in LOGS))
_BY_NAME = {str(model): model for model in ALL}


def read_model(name: str) -> ReadModel:
    """Raises UnknownModel."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise UnknownModel(f"no read model {name!r}: one of {', '.join(_BY_NAME)}") from None


def select(names: list[str], store: StoreName | None = None) -> list[ReadModel]:
    """The models named, fully (`postgres.chat`) or, with a store, shortly (`chat`); all of the store's without names.

    Raises UnknownModel.
    """
    if not names:
        return [model for model in ALL if store in (None, model.store)]
    return [read_model(f"{store}.{name}" if store and "." not in name else name) for name in dict.fromkeys(names)]
