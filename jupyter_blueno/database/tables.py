"""All tables, as SQLAlchemy Core; the migrations make them, with policies (`scope`), a test compares.

A dataset's history is linear and stored as a delta: a sample is in version
``n`` when ``added_in <= n`` and it was not yet removed. Ordinals number the
samples of a dataset once and for all, so a page, a thumbnail and a selection
are found by key at any depth.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

metadata = MetaData()

# Every write to a dataset or a job takes the next one: what changed since is then one indexed query.
revision = Sequence("revision", metadata=metadata)

_now = func.now()


def _jsonb(name: str) -> Column[object]:
    return Column(name, JSONB, nullable=False, server_default=text("'{}'::jsonb"))


dataset = Table(
    "dataset",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("team", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("visibility", Text, nullable=False, server_default="team"),
    Column("owner", Text, nullable=False),
    Column("root", Text),  # the folder its files lie in, when registered in place
    _jsonb("info"),
    Column("next_ordinal", Integer, nullable=False, server_default="0"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("deleted_at", DateTime(timezone=True)),
    Column("revision", BigInteger, revision, nullable=False, server_default=revision.next_value()),
    Index("dataset_name", "team", "name", unique=True, postgresql_where=text("deleted_at IS NULL")),
    Index("dataset_team", "team", "id"),
    Index("dataset_revision", "revision"),
)

version = Table(
    "version",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("dataset_id", BigInteger, ForeignKey("dataset.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False),  # open | preparing | ready | failed
    Column("owner", Text, nullable=False),
    Column("sample_count", BigInteger, nullable=False, server_default="0"),
    Column("bytes", BigInteger, nullable=False, server_default="0"),
    Column("parents", ARRAY(BigInteger), nullable=False, server_default=text("'{}'::bigint[]")),
    _jsonb("derivation"),
    _jsonb("summary"),
    Column("progress", JSONB),
    Column("problems", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("reason", Text),
    Column("job_id", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("finished_at", DateTime(timezone=True)),
    UniqueConstraint("dataset_id", "number", name="version_number"),
)

sample = Table(
    "sample",
    metadata,
    Column("dataset_id", BigInteger, ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("added_in", Integer, nullable=False),
    Column("removed_in", Integer),
    Column("name", Text, nullable=False),
    Column("kind", Text),  # image2d | volume3d
    Column("split", Text),
    Column("label", Text),
    _jsonb("attributes"),
    Column("data_url", Text, nullable=False),
    Column("data_key", Text),  # which one, where the URL holds many
    Column("shape", ARRAY(Integer)),
    Column("dtype", Text),
    Column("spacing", ARRAY(Double)),  # mm
    Column("bytes", BigInteger),
    Column("checksum", LargeBinary),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Index("sample_name", "dataset_id", "name", unique=True, postgresql_where=text("removed_in IS NULL")),
    # Answers filters, pages and counts of the newest version without the rows themselves.
    Index(
        "sample_label",
        "dataset_id",
        "label",
        "ordinal",
        postgresql_include=["split"],
        postgresql_where=text("removed_in IS NULL"),
    ),
)

annotation = Table(
    "annotation",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("dataset_id", BigInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("kind", Text, nullable=False),  # label | box | mask | point
    _jsonb("value"),
    Column("author", Text, nullable=False),
    Column("replaces", BigInteger, ForeignKey("annotation.id", ondelete="SET NULL")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    ForeignKeyConstraint(
        ["dataset_id", "ordinal"], ["sample.dataset_id", "sample.ordinal"], ondelete="CASCADE"
    ),
    Index("annotation_sample", "dataset_id", "ordinal"),
)

result_column = Table(
    "result_column",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("dataset_id", BigInteger, ForeignKey("dataset.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),  # number | text
    Column("owner", Text, nullable=False),
    Column("job_id", Text),  # that wrote it last
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=_now),
    UniqueConstraint("dataset_id", "name", name="result_column_name"),
)

result_value = Table(
    "result_value",
    metadata,
    Column("column_id", BigInteger, ForeignKey("result_column.id", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("number", Double),
    Column("text", Text),
    Index("result_number", "column_id", "number", "ordinal", postgresql_where=text("number IS NOT NULL")),
    Index("result_text", "column_id", "text", "ordinal", postgresql_where=text("text IS NOT NULL")),
)

job = Table(
    "job",
    metadata,
    Column("id", Text, primary_key=True),  # made by the client
    Column("team", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("parent", Text),  # the sweep or flow of which it is a part
    Column("state", Text, nullable=False),
    Column("desired", Text, nullable=False, server_default="run"),
    Column("attempt", Integer, nullable=False, server_default="1"),
    Column("reason", Text),
    Column("failure", JSONB),
    Column("health", Text, nullable=False, server_default="unknown"),
    Column("spec", JSONB, nullable=False),
    Column("notebook", Text, Computed("(spec['origin'] ->> 'notebook')", persisted=True)),
    Column("backend", Text, nullable=False),
    _jsonb("handle"),  # what the backend finds its work by
    Column("held", JSONB),  # of the team's quota, since it was let in: cpu, memory, gpu, since
    Column("progress", JSONB),
    Column("metrics", JSONB),  # the newest value of the first few
    Column("exit_code", Integer),
    Column("log_size", BigInteger, nullable=False, server_default="0"),
    Column("output_count", Integer, nullable=False, server_default="0"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("deleted_at", DateTime(timezone=True)),
    Column("revision", BigInteger, revision, nullable=False, server_default=revision.next_value()),
    # Each answers a page of the list, filtered in one way, from the index alone.
    Index(
        "job_recent",
        "team",
        text("created_at DESC"),
        text("id DESC"),
        postgresql_include=["name"],
        postgresql_where=text("deleted_at IS NULL AND parent IS NULL"),
    ),
    Index(
        "job_state",
        "team",
        "state",
        text("created_at DESC"),
        text("id DESC"),
        postgresql_where=text("deleted_at IS NULL AND parent IS NULL"),
    ),
    Index(
        "job_notebook",
        "team",
        "notebook",
        text("created_at DESC"),
        text("id DESC"),
        postgresql_where=text("deleted_at IS NULL AND parent IS NULL"),
    ),
    Index(
        "job_parent",
        "parent",
        text("created_at DESC"),
        text("id DESC"),
        postgresql_where=text("deleted_at IS NULL AND parent IS NOT NULL"),
    ),
    Index("job_revision", "revision"),
    Index(
        "job_active",
        "state",
        postgresql_where=text("state IN ('SUBMITTING','QUEUED','STARTING','RUNNING','FINISHING')"),
    ),
)

job_input = Table(
    "job_input",
    metadata,
    Column("job_id", Text, ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    Column("dataset_id", BigInteger, ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    _jsonb("filter"),
    Index("job_input_dataset", "dataset_id", "version"),
)

# Files that jobs wrote, wherever they lie.
job_file = Table(
    "job_file",
    metadata,
    Column("job_id", Text, ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    Column("path", Text, primary_key=True),
    Index("job_file_path", "path", postgresql_using="hash"),
)

schedule = Table(
    "schedule",
    metadata,
    Column("id", Text, primary_key=True),  # made by the client
    Column("team", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("cron", Text),
    Column("zone", Text, nullable=False),
    Column("dataset_id", BigInteger, ForeignKey("dataset.id", ondelete="SET NULL")),
    Column("dataset_version", Integer),  # the newest one that it started a job for
    Column("catch_up", Text, nullable=False),
    Column("overlap", Text, nullable=False),
    Column("catch_up_limit", Integer, nullable=False),
    Column("paused", Boolean, nullable=False, server_default="false"),
    Column("notebook", Text),  # the file that is read when it fires
    _jsonb("origin"),
    Column("digest", Text, nullable=False),  # of what it runs, which lies in the data folder
    Column("next_due", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("deleted_at", DateTime(timezone=True)),
    Column("revision", BigInteger, revision, nullable=False, server_default=revision.next_value()),
    Index("schedule_name", "team", "name", unique=True, postgresql_where=text("deleted_at IS NULL")),
    Index("schedule_revision", "revision"),
)

# Each time that a schedule was due. The key is its own in the schedule: whoever
# writes the row first has claimed it, and the job's id follows from both.
firing = Table(
    "firing",
    metadata,
    Column("schedule_id", Text, ForeignKey("schedule.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("due", DateTime(timezone=True), nullable=False),
    Column("cause", Text, nullable=False),  # time | catch_up | dataset | hand
    Column("state", Text, nullable=False),  # waiting | started | skipped | failed
    Column("job_id", Text, nullable=False),
    Column("reason", Text),
    Column("missed", Integer, nullable=False, server_default="0"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Index("firing_recent", "schedule_id", text("due DESC")),
    Index("firing_waiting", "due", postgresql_where=text("state = 'waiting'")),
)

sweep = Table(
    "sweep",
    metadata,
    Column("id", Text, primary_key=True),  # that of the first job that conducted it
    Column("team", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # of the work
    Column("digest", Text, nullable=False),
    Column("plan", JSON, nullable=False),  # not JSONB: parameters stay in their order
    Column("jobs", ARRAY(Text), nullable=False),  # that conducted it, the present one last
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
)

trial = Table(
    "trial",
    metadata,
    Column("sweep_id", Text, ForeignKey("sweep.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("job_id", Text, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("state", Text, nullable=False, server_default="open"),  # or how it ended
    Column("value", Double),
    Column("curve", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("reason", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("revision", BigInteger, revision, nullable=False, server_default=revision.next_value()),
)

flow = Table(
    "flow",
    metadata,
    Column("id", Text, primary_key=True),  # its job's
    Column("team", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("resumes", Text),  # the flow whose finished steps it takes over
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
)

# A row for each job of a flow: what was decided about it. How the job stands is the job's row.
flow_part = Table(
    "flow_part",
    metadata,
    Column("flow_id", Text, ForeignKey("flow.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),  # of the step
    Column("number", Integer, primary_key=True, autoincrement=False),  # in the step
    Column("step", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("needs", ARRAY(Text), nullable=False),
    Column("takes", ARRAY(Text), nullable=False),  # those whose results it is handed
    Column("mapped", Boolean, nullable=False),
    Column("cache", Boolean, nullable=False),
    _jsonb("parameters"),
    Column("work", Text, nullable=False),  # hash of code and arguments
    Column("key", Text),  # that of what comes out, where that is known to be the same each time
    Column("earlier", Text),  # the job of the same work in the flow that this one resumes
    Column("job_id", Text),  # that runs, or has run, or whose result is taken
    Column("reused", Boolean, nullable=False, server_default=text("false")),
    Column("reason", Text),  # why it was not run
    Index("flow_part_key", "key", postgresql_where=text("key IS NOT NULL AND NOT reused")),
)

# What MLflow's registry holds, as it was when it was last looked at: lists need no server of MLflow's.
model_version = Table(
    "model_version",
    metadata,
    Column("team", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("job_id", Text),
    _jsonb("about"),
    Column("deleted_at", DateTime(timezone=True)),
    Column("revision", BigInteger, revision, nullable=False, server_default=revision.next_value()),
    Index("model_version_job", "job_id", postgresql_where=text("job_id IS NOT NULL")),
    Index("model_version_revision", "revision"),
)

secret = Table(
    "secret",
    metadata,
    Column("team", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),  # who set it last
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=_now),
)  # which there are; their values lie elsewhere
