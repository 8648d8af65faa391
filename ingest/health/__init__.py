"""How a stream is doing: what a segment measured, and what that means. Pure."""
