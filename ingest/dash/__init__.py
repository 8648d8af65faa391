"""DASH over the same segments: an MPD beside the HLS playlists."""
