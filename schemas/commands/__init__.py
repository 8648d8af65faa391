"""Every command, one module per aggregate, and the results."""
