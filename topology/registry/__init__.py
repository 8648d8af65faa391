"""A schema registry over a compacted Kafka topic, speaking Confluent's REST API."""
