"""The write side: commands are submitted, decided by pure functions, and appended as events."""
