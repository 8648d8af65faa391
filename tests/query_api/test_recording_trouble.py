"""A store that takes nothing and a spool that is full: the streamer is told, the stream goes on."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.engines import answers, free_ports
from tests.ingest.rtmp.house import encoder, eventually
from tests.query_api.conftest import Edge, process

pytestmark = pytest.mark.stack

PATIENCE_S = 60.0
NOISE = ("-vf", "scale=320:240,noise=alls=100:allf=t", "-crf", "1")
"""Some Mbit/s."""


def test_a_streamer_is_told_that_the_recording_has_gaps(edge: Edge, tmp_path: Path) -> None:
    (nobody,) = free_ports(1)
    stored = {"recordings_store": "s3://recordings", "recordings_s3_endpoint": f"http://127.0.0.1:{nobody}"}
    keys = {"recordings_s3_access_key": "a", "recordings_s3_secret_key": "b"}
    # As a whole, so that the secret is wrapped.
    changed = edge.settings.model_dump() | stored | keys | {"recordings_spool_mb": 1, "data_dir": tmp_path}
    settings = type(edge.settings).model_validate(changed)
    with process("ingest", settings, lambda: answers(f"{settings.playback_url}/health/ready")):
        streamer = edge.register()
        key = streamer.ask("POST", "/helix/streams/key").json()["data"][0]["stream_key"]
        publisher = encoder(settings.rtmp_port, key, *NOISE)
        try:
            query = {"user_id": streamer.id}
            live = eventually(lambda: edge.client.get("/helix/streams", params=query).json()["data"], PATIENCE_S)[0]

            def advice() -> list[dict[str, Any]]:
                health = edge.client.get(f"/streams/{live['id']}/health").json()["data"][0]
                return [each for each in health["now"]["advice"] if each["code"] == "recordingFailed"]

            (said,) = eventually(advice, PATIENCE_S)
            assert said["severity"] == "error"
            assert "recording" in said["message"]
            assert httpx.get(live["playback_url"]).status_code == 200
        finally:
            publisher.send_signal(signal.SIGINT)
            publisher.wait()
            assert publisher.stderr
            publisher.stderr.close()
