"""Queries and reports that people save in a project, and their folders."""

from alembic import op

revision = "0030"
down_revision = "0010"

SQL = """
CREATE TABLE content_folders (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id bigint NOT NULL REFERENCES project ON DELETE CASCADE,
    owner_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    parent_id uuid REFERENCES content_folders ON DELETE CASCADE,
    name text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX content_folders_owner ON content_folders (project_id, owner_id);

CREATE TABLE content (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id bigint NOT NULL REFERENCES project ON DELETE CASCADE,
    owner_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    -- what lay in a folder outlives it
    folder_id uuid REFERENCES content_folders ON DELETE SET NULL,
    name text NOT NULL,
    description text NOT NULL,
    type text NOT NULL CHECK (type IN ('sql', 'report', 'log_sql')),
    visibility text NOT NULL CHECK (visibility IN ('user', 'project', 'org', 'public')),
    content jsonb NOT NULL,
    favorite boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by bigint REFERENCES accounts ON DELETE SET NULL
);
CREATE INDEX content_project ON content (project_id, type, created_at);
"""


def upgrade() -> None:
    """Makes the tables."""
    op.get_bind().exec_driver_sql(SQL)


def downgrade() -> None:
    """There is no way back: restore a backup."""
    raise NotImplementedError("there is no way back: restore a backup of the management database")
