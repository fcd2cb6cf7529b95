"""Access tokens, invitations, roles in single projects and second factors."""

from alembic import op

revision = "0010"
down_revision = "0001"

SQL = """
-- When its owner gave the code of a second factor.
ALTER TABLE sessions ADD COLUMN verified_at timestamptz;

-- Null: the role holds in all projects. Else in these, and elsewhere the member only sees
-- the organization.
ALTER TABLE organization_membership ADD COLUMN project_refs text[];

-- Only hashes: a token is shown once.
CREATE TABLE access_tokens (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name text NOT NULL,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    token_alias text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz
);
CREATE INDEX access_tokens_account ON access_tokens (account_id);

CREATE TABLE invitations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES organizations ON DELETE CASCADE,
    email text NOT NULL CHECK (length(email) <= 254),
    role text NOT NULL CHECK (role IN ('Owner', 'Administrator', 'Developer', 'Read-only')),
    project_refs text[],
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    invited_by bigint REFERENCES accounts ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    UNIQUE (organization_id, email)
);

-- The secret is sealed with a key that hangs on ENCRYPTION_SECRET. A code counts once: last_step.
CREATE TABLE factors (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    friendly_name text NOT NULL,
    secret bytea NOT NULL,
    verified_at timestamptz,
    last_step bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX factors_account ON factors (account_id);

CREATE TABLE factor_challenges (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    factor_id uuid NOT NULL REFERENCES factors ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX factor_challenges_factor ON factor_challenges (factor_id);
CREATE INDEX factor_challenges_expiry ON factor_challenges (expires_at);
"""


def upgrade() -> None:
    """Adds what people need to work together."""
    op.execute(SQL)


def downgrade() -> None:
    """There is no way back: restore a backup."""
    raise NotImplementedError("there is no way back: restore a backup of the management database")
