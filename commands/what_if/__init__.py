"""What another policy would have decided of a channel's chat, told from its events. Pure."""
