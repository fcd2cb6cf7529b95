"""Accounts, sessions, organizations, members, projects and the audit log."""

from alembic import op

revision = "0001"
down_revision = None

SQL = """
CREATE TABLE accounts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gotrue_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    -- lower case, Unicode normal form C: made so by the program, whose rules are not the locale's
    email text NOT NULL UNIQUE CHECK (length(email) <= 254),
    username text NOT NULL,
    first_name text,
    last_name text,
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    last_sign_in_at timestamptz,
    disabled_at timestamptz
);

-- A sign-in: one family of refresh tokens.
CREATE TABLE sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    refreshed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    address text,
    user_agent text
);
CREATE INDEX sessions_account ON sessions (account_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Only hashes. A token that was used stays, so that its second use gives the thief away.
CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_used ON refresh_tokens (used_at);

CREATE TABLE organizations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug text NOT NULL UNIQUE CHECK (length(slug) <= 63),
    name text NOT NULL,
    billing_email text,
    created_by bigint REFERENCES accounts ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (slug ~ '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')
);

CREATE TABLE organization_membership (
    organization_id bigint NOT NULL REFERENCES organizations ON DELETE CASCADE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('Owner', 'Administrator', 'Developer', 'Read-only')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, account_id)
);
CREATE INDEX organization_membership_account ON organization_membership (account_id);

-- Who made which project and who may see it. Everything else about it is in its SupabaseProject.
CREATE TABLE project (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ref text NOT NULL CHECK (ref ~ '^[a-z]{20}$'),
    organization_id bigint NOT NULL REFERENCES organizations,
    cluster text NOT NULL DEFAULT 'local',
    cr_namespace text NOT NULL,
    cr_name text NOT NULL,
    cr_uid text,
    state text NOT NULL CHECK (state IN ('reserved', 'live', 'gone')),
    -- the spec as it was asked for, without any secret: what a half-made project is finished from
    requested jsonb NOT NULL,
    created_by bigint REFERENCES accounts ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    live_at timestamptz,
    gone_at timestamptz,
    CHECK (state <> 'live' OR (cr_uid IS NOT NULL AND live_at IS NOT NULL)),
    CHECK (state <> 'gone' OR gone_at IS NOT NULL)
);
CREATE UNIQUE INDEX project_ref ON project (ref) WHERE state <> 'gone';
CREATE UNIQUE INDEX project_cr ON project (cluster, cr_namespace, cr_name) WHERE state <> 'gone';
CREATE INDEX project_organization ON project (organization_id) WHERE state <> 'gone';

-- What people changed. No foreign keys: it outlives what it speaks of.
CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    occurred_at timestamptz NOT NULL,
    action text NOT NULL,
    actor_id bigint,
    actor_email text,
    organization_id bigint,
    project_ref text,
    details jsonb NOT NULL DEFAULT '{}',
    request_id text,
    address text
);
CREATE INDEX audit_log_organization ON audit_log (organization_id, occurred_at);
CREATE INDEX audit_log_actor ON audit_log (actor_id, occurred_at);
"""


def upgrade() -> None:
    """Makes the first shape."""
    op.get_bind().exec_driver_sql(SQL)


def downgrade() -> None:
    """There is no way back: restore a backup."""
    raise NotImplementedError("there is no way back: restore a backup of the management database")
