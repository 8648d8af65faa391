"""A real S3 service of its own process, which a test may kill and start again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx
from pydantic import SecretStr

from ingest.storage.s3 import S3Store
from tests.engines import free_ports

BUCKET = "recordings"
PATIENCE_S = 60.0


@dataclass
class S3Service:
    """moto's server. It holds its objects in memory: killed, it forgets them."""

    port: int
    _process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Answering, with an empty bucket if it was not there."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert time.monotonic() < deadline and self._process.poll() is None, "moto does not start"
            time.sleep(0.05)
        self._client().create_bucket(Bucket=BUCKET)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def store(self, prefix: str = "") -> S3Store:
        return S3Store(
            BUCKET,
            prefix,
            endpoint=self.endpoint,
            region="us-east-1",
            access_key="testing",
            secret_key=SecretStr("testing"),
        )

    def headers(self, key: str) -> dict[str, str]:
        """How the service itself would give the object to a player."""
        found = self._client().head_object(Bucket=BUCKET, Key=key)
        return {"type": found["ContentType"], "cache": found["CacheControl"]}

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.endpoint}/moto-api/data.json", timeout=2.0).is_success
        except httpx.TransportError:
            return False

    def _client(self) -> Any:
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1", **keys)


@contextmanager
def s3_service() -> Iterator[S3Service]:
    service = S3Service(free_ports(1)[0])
    service.start()
    try:
        yield service
    finally:
        service.kill()
