"""The engines without Docker: a Kafka broker, a Postgres server and a ClickHouse, each a child process on loopback."""
