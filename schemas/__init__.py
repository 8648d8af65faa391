"""Events: what happened, as Pydantic models, and how they travel as Avro."""
