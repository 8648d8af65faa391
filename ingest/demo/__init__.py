"""A publisher with a test picture and a tone, so that the whole system can be seen without a camera."""
