"""The queue in Postgres and what runs from it."""
