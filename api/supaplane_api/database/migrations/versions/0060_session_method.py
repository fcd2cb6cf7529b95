"""How a session was opened."""

from alembic import op

revision = "0060"
down_revision = "0050"

SQL = """
-- As GoTrue names it in a token's `amr`: otp stands for a link or the digits of a mail. Sessions
-- from before, and those that an older replica opens meanwhile, count as opened with a password.
ALTER TABLE sessions ADD COLUMN method text NOT NULL DEFAULT 'password'
    CHECK (method IN ('password', 'otp'));
"""


def upgrade() -> None:
    """Adds the column."""
    op.execute(SQL)


def downgrade() -> None:
    """There is no way back: restore a backup."""
    raise NotImplementedError("there is no way back: restore a backup of the management database")
