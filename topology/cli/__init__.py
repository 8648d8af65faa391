"""`./tally`: one command per module. A module's function, or its Typer app, carries the module's name."""
