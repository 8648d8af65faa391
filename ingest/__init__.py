"""The media plane: RTMP in, LL-HLS out, health measured on the way."""
