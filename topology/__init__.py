"""Where things run: topics, settings, telemetry, the embedded stack, the supervisor and the CLI."""
