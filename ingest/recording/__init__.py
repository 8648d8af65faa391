"""Recordings: what was live, kept. Segments go by a spool on disk to the store; playlists and clips come of them."""
