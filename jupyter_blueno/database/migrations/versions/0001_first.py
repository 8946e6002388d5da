"""Datasets, versions, samples, annotations, jobs. Frozen: never edited after release."""

from alembic import op

revision = "0001"
down_revision = None

DDL = """
CREATE SEQUENCE revision;

CREATE TABLE dataset (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    team TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    visibility TEXT DEFAULT 'team' NOT NULL,
    owner TEXT NOT NULL,
    root TEXT,
    info JSONB DEFAULT '{}'::jsonb NOT NULL,
    next_ordinal INTEGER DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    revision BIGINT DEFAULT nextval('revision') NOT NULL,
    PRIMARY KEY (id)
);

CREATE UNIQUE INDEX dataset_name ON dataset (team, name) WHERE deleted_at IS NULL;

CREATE INDEX dataset_revision ON dataset (revision);

CREATE TABLE job (
    id TEXT NOT NULL,
    team TEXT NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    desired TEXT DEFAULT 'run' NOT NULL,
    attempt INTEGER DEFAULT '1' NOT NULL,
    reason TEXT,
    health TEXT DEFAULT 'unknown' NOT NULL,
    spec JSONB NOT NULL,
    backend TEXT NOT NULL,
    handle JSONB DEFAULT '{}'::jsonb NOT NULL,
    progress JSONB,
    exit_code INTEGER,
    log_size BIGINT DEFAULT '0' NOT NULL,
    output_count INTEGER DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    revision BIGINT DEFAULT nextval('revision') NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX job_active ON job (state) WHERE state IN ('SUBMITTING','QUEUED','STARTING','RUNNING','FINISHING');

CREATE INDEX job_recent ON job (team, created_at DESC, id DESC);

CREATE INDEX job_revision ON job (revision);

CREATE TABLE job_input (
    job_id TEXT NOT NULL,
    dataset_id BIGINT NOT NULL,
    version INTEGER NOT NULL,
    filter JSONB DEFAULT '{}'::jsonb NOT NULL,
    PRIMARY KEY (job_id, dataset_id, version),
    FOREIGN KEY(job_id) REFERENCES job (id) ON DELETE CASCADE,
    FOREIGN KEY(dataset_id) REFERENCES dataset (id) ON DELETE CASCADE
);

CREATE INDEX job_input_dataset ON job_input (dataset_id, version);

CREATE TABLE sample (
    dataset_id BIGINT NOT NULL,
    ordinal INTEGER NOT NULL,
    added_in INTEGER NOT NULL,
    removed_in INTEGER,
    name TEXT NOT NULL,
    kind TEXT,
    split TEXT,
    label TEXT,
    attributes JSONB DEFAULT '{}'::jsonb NOT NULL,
    data_url TEXT NOT NULL,
    data_key TEXT,
    shape INTEGER[],
    dtype TEXT,
    spacing DOUBLE PRECISION[],
    bytes BIGINT,
    checksum BYTEA,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (dataset_id, ordinal),
    FOREIGN KEY(dataset_id) REFERENCES dataset (id) ON DELETE CASCADE
);

CREATE INDEX sample_label ON sample (dataset_id, label, ordinal) INCLUDE (split) WHERE removed_in IS NULL;

CREATE UNIQUE INDEX sample_name ON sample (dataset_id, name) WHERE removed_in IS NULL;

CREATE TABLE version (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    dataset_id BIGINT NOT NULL,
    number INTEGER NOT NULL,
    state TEXT NOT NULL,
    owner TEXT NOT NULL,
    sample_count BIGINT DEFAULT '0' NOT NULL,
    bytes BIGINT DEFAULT '0' NOT NULL,
    parents BIGINT[] DEFAULT '{}'::bigint[] NOT NULL,
    derivation JSONB DEFAULT '{}'::jsonb NOT NULL,
    summary JSONB DEFAULT '{}'::jsonb NOT NULL,
    progress JSONB,
    problems JSONB DEFAULT '[]'::jsonb NOT NULL,
    reason TEXT,
    job_id TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CONSTRAINT version_number UNIQUE (dataset_id, number),
    FOREIGN KEY(dataset_id) REFERENCES dataset (id) ON DELETE CASCADE
);

CREATE TABLE annotation (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    dataset_id BIGINT NOT NULL,
    ordinal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    value JSONB DEFAULT '{}'::jsonb NOT NULL,
    author TEXT NOT NULL,
    replaces BIGINT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(dataset_id, ordinal) REFERENCES sample (dataset_id, ordinal) ON DELETE CASCADE,
    FOREIGN KEY(replaces) REFERENCES annotation (id) ON DELETE SET NULL
);

CREATE INDEX annotation_sample ON annotation (dataset_id, ordinal);
"""


def upgrade() -> None:
    op.execute(DDL)
