"""The read models' tables in Postgres, and the sink that writes rows and progress as one."""
