"""IRC in Twitch's dialect: existing bots connect unchanged."""
