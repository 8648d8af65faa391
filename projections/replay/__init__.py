"""Replay: read models made again from the topics, beside the live ones, and proof that both are equal."""
