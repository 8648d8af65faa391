"""AutoMod: what a message is stopped for. Pure; its word lists and its model are data files, read once."""
