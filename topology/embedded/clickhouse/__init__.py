"""ClickHouse without a server: chDB behind the ClickHouse HTTP protocol, for the writer and the analyst."""
