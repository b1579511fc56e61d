"""How Alembic reaches the database: on the connection that `Database.migrate` hands over."""

from typing import Any, Literal

from alembic import context

from resilience_assets.storage.tables import Base, UtcDateTime


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """A migration stands on its own: our types are written as what the database stores."""
    return "sa.DateTime()" if kind == "type" and isinstance(item, UtcDateTime) else False


connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, render_item=render_item)
with context.begin_transaction():
    context.run_migrations()
