"""Where recordings lie: one contract, a local directory or an S3-compatible service behind it."""
