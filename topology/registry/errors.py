"""What the registry refuses, in Confluent's form."""

from __future__ import annotations


class RegistryError(Exception):
    """Carries the HTTP status and Confluent's error code (a status, or a status and two digits)."""

    def __init__(self, error_code: int, message: str) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.message = message

    @property
    def status(self) -> int:
        return self.error_code if self.error_code < 1000 else self.error_code // 100


def subject_not_found(subject: str) -> RegistryError:
    return RegistryError(40401, f"Subject '{subject}' not found.")


def version_not_found(version: int) -> RegistryError:
    return RegistryError(40402, f"Version {version} not found.")


def schema_not_found() -> RegistryError:
    return RegistryError(40403, "Schema not found")
