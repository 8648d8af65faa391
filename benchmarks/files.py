"""As many open files as this account may have: a connection is one, and the soft limit is often 1,024."""

from __future__ import annotations

import resource


def raise_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
