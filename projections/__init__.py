"""The read side's builders: folds from events to rows, live and on replay, and the sinks that hold them."""
