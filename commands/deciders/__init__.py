"""What may happen: one module per aggregate, each pure: `initial_state`, `decide`, `evolve`, `reply`.

`decide(command, state)` gives the events, or raises Rejected; no events means that nothing has to happen.
`evolve(state, event)` folds events, the aggregate's own and those of the topics whose facts it needs.
`reply(event)` is what the caller is told; it comes from the last event alone, so that a retry is told the same.
"""
