"""The browser of benchmarks and tests."""

from __future__ import annotations

import shutil

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)


def chromium_path() -> str | None:
    """Where it is installed; None without one."""
    return shutil.which("chromium") or shutil.which("chromium-browser")
