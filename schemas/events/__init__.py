"""Every event, one module per topic."""
