"""The encoding ladder: smaller renditions of a stream's picture, made by a worker process a stream."""
