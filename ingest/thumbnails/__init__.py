"""A picture of each live stream every few seconds: thumbnails in any usual size, and sprite sheets for the seek bar."""
