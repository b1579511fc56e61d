"""Both databases, for every test of this room."""

from resilience_assets_tests.postgres import database, migrated_sqlite, postgres, sqlite_database, twin

__all__ = ["database", "migrated_sqlite", "postgres", "sqlite_database", "twin"]
