"""What Alembic runs: revisions on the connection that it is handed, in one transaction."""

from alembic import context

from cardiotrace.server.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
