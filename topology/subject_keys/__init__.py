"""The users' keys: their log in Kafka, and the keyring that follows it."""
