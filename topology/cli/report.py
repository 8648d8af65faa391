"""What `status` says: gathered once, then printed for a person or for a script."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from topology import demo_channel
from topology.ports import local_settings
from topology.secrets import Secrets
from topology.system_state import RunDirectory, SystemState


def gather(data: Path) -> dict[str, Any]:
    """The system in this data directory as `status --json` prints it. Scripts rely on its keys: add, never rename."""
    run = RunDirectory(data)
    state = run.read()
    pid = run.supervisor()
    running = pid is not None and state is not None and state.supervisor_pid == pid
    report: dict[str, Any] = {
        "state": "starting" if pid and not running else state.state if running and state else _ended(state),
        "data": str(data.absolute()),
        "logs": str(data.absolute() / "logs"),
        "supervisor": {"pid": pid, "log": str(data.absolute() / "logs" / "supervisor.log")},
        "processes": {},
    }
    if state is None:
        return report
    processes = {name: process.model_dump() for name, process in state.processes.items()}
    if not running:
        for process in processes.values():
            process.update(state="stopped", pid=None)
    elif report["state"] == "ready" and any(process["state"] != "ready" for process in processes.values()):
        report["state"] = "degraded"
    report |= {"processes": processes, "reason": state.reason, "port_base": state.port_base}
    return report | _addresses(data, state, usable=running and report["state"] in ("ready", "degraded"))


def _ended(state: SystemState | None) -> str:
    return "failed" if state is not None and state.state == "failed" else "stopped"


def _addresses(data: Path, state: SystemState, usable: bool) -> dict[str, Any]:
    settings = local_settings(data, state.port_base)
    secrets = Secrets.load(data) or Secrets()
    if usable and not demo_channel.is_fresh(secrets, settings):
        secrets = _refreshed(settings.data_dir, state) or secrets
    settings = secrets.apply(settings)
    return {
        "rtmp": f"rtmp://127.0.0.1:{settings.rtmp_port}/live",
        # The name that certificates for a try are made for; who has a real one knows its name.
        "rtmps": f"rtmps://localhost:{state.rtmps_port}/live" if state.rtmps_port else "",
        "edge": settings.edge_url,
        "playback": settings.playback_url,
        "chat": settings.chat_url,
        "irc": f"irc://127.0.0.1:{settings.irc_port}",
        "ircs": f"ircs://localhost:{state.ircs_port}" if state.ircs_port else "",
        "clickhouse": settings.clickhouse_url,
        "kafka": settings.kafka_bootstrap,
        "postgres": settings.postgres_dsn.get_secret_value(),
        "schema_registry": settings.schema_registry_url,
        "demo": {
            "login": demo_channel.LOGIN,
            "stream_key": secrets.demo_stream_key,
            "token": secrets.demo_token,
        },
        "analyst": {"name": settings.clickhouse_analyst, "password": secrets.clickhouse_analyst_password},
    }


def _refreshed(data: Path, state: SystemState) -> Secrets | None:
    try:
        return asyncio.run(demo_channel.ensure(local_settings(data, state.port_base), give_up_s=5.0))
    except demo_channel.DemoFailedError:
        return None
