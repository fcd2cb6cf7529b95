"""Where alembic finds the connection, with its transaction and lock, that `migrate.py` made."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
