"""Side-by-side measurements: every figure is a ratio against a peer or a limit in one run."""
