"""Who watches, by what players say of themselves: Common Media Client Data, as playback events."""
