"""Schedules, and each time that one was due. Frozen: never edited after release."""

from alembic import op

revision = "0007"
down_revision = "0006"

DDL = """
CREATE TABLE schedule (
    id TEXT NOT NULL,
    team TEXT NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    cron TEXT,
    zone TEXT NOT NULL,
    dataset_id BIGINT,
    dataset_version INTEGER,
    catch_up TEXT NOT NULL,
    overlap TEXT NOT NULL,
    catch_up_limit INTEGER NOT NULL,
    paused BOOLEAN DEFAULT false NOT NULL,
    notebook TEXT,
    origin JSONB DEFAULT '{}'::jsonb NOT NULL,
    digest TEXT NOT NULL,
    next_due TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    revision BIGINT DEFAULT nextval('revision') NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (dataset_id) REFERENCES dataset (id) ON DELETE SET NULL
);

CREATE UNIQUE INDEX schedule_name ON schedule (team, name) WHERE deleted_at IS NULL;

CREATE INDEX schedule_revision ON schedule (revision);

CREATE TABLE firing (
    schedule_id TEXT NOT NULL,
    key TEXT NOT NULL,
    due TIMESTAMP WITH TIME ZONE NOT NULL,
    cause TEXT NOT NULL,
    state TEXT NOT NULL,
    job_id TEXT NOT NULL,
    reason TEXT,
    missed INTEGER DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (schedule_id, key),
    FOREIGN KEY (schedule_id) REFERENCES schedule (id) ON DELETE CASCADE
);

CREATE INDEX firing_recent ON firing (schedule_id, due DESC);

CREATE INDEX firing_waiting ON firing (due) WHERE state = 'waiting';
"""


def upgrade() -> None:
    op.execute(DDL)
