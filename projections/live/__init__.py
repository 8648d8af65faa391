"""The live runner: Faust agents that keep a store's projections up to date."""
