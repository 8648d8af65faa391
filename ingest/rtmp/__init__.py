"""RTMP without sockets: bytes in, events out. Handshake, chunks, AMF0, messages, and a session for each side."""
