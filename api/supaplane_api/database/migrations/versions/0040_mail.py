"""Mail that waits to be sent, what its links and codes are worth, and confirmed addresses."""

from alembic import op

revision = "0040"
down_revision = "0030"

SQL = """
-- Null: nobody has shown yet that the address is theirs. Accounts from before count as confirmed,
-- and so do those that an older replica makes while this version is being rolled out.
ALTER TABLE accounts ADD COLUMN confirmed_at timestamptz DEFAULT now();
UPDATE accounts SET confirmed_at = created_at;
CREATE INDEX accounts_unconfirmed ON accounts (created_at) WHERE confirmed_at IS NULL;

-- What is to be told to whom. No secret: tokens are made when a mail is written, not before.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    recipient text NOT NULL CHECK (length(recipient) <= 254),
    details jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    deadline timestamptz NOT NULL,
    next_try_at timestamptz NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    -- why the last try failed
    reason text,
    done_at timestamptz,
    outcome text CHECK (outcome IN ('sent', 'nobody', 'gave up'))
);
CREATE INDEX outbox_due ON outbox (next_try_at) WHERE done_at IS NULL;
CREATE INDEX outbox_done ON outbox (done_at) WHERE done_at IS NOT NULL;

-- Only hashes. The newest of its kind is the only one that counts, and it counts once.
CREATE TABLE one_time_tokens (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('signup', 'recovery', 'email_change', 'pkce')),
    -- of the digits in the mail, keyed with ENCRYPTION_SECRET
    code_hash bytea,
    wrong_codes integer NOT NULL DEFAULT 0,
    -- email_change: the new address
    email text CHECK (length(email) <= 254),
    -- RFC 7636: who asked, and nobody else, gets the session
    code_challenge text,
    code_challenge_method text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    UNIQUE (account_id, kind)
);
CREATE INDEX one_time_tokens_expiry ON one_time_tokens (expires_at);

-- The token in the mail; the one that the inviting person was told is another.
ALTER TABLE invitations ADD COLUMN mailed_hash bytea UNIQUE CHECK (length(mailed_hash) = 32);
"""


def upgrade() -> None:
    """Adds what mail needs."""
    op.execute(SQL)


def downgrade() -> None:
    """There is no way back: restore a backup."""
    raise NotImplementedError("there is no way back: restore a backup of the management database")
