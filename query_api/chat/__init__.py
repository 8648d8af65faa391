"""Chat's own process: rooms that follow the log, and two doors to them, JSON over WebSocket and IRC."""
