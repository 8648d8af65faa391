"""The life of a publish: authorised, started, disconnected, resumed, ended. Each step is a command."""
