"""Low-latency HLS (RFC 8216bis): the rolling window, its playlists and the origin that serves them."""
