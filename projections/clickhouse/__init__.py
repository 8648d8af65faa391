"""The analysts' side: every event in ClickHouse, one table per topic, and rollups over them."""
