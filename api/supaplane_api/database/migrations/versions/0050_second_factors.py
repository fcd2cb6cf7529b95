"""Organizations that demand a second factor of their members."""

from alembic import op

revision = "0050"
down_revision = "0040"

SQL = "ALTER TABLE organizations ADD COLUMN requires_factor boolean NOT NULL DEFAULT false"


def upgrade() -> None:
    """Adds the demand; no organization makes it yet."""
    op.execute(SQL)


def downgrade() -> None:
    """There is no way back: restore a backup."""
    raise NotImplementedError("there is no way back: restore a backup of the management database")
