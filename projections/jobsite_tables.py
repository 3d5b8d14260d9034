"""The tables of `jobsite`."""

from projections.changes import Table

SESSIONS = Table(
    "sessions",
    {
        "id": "uuid",
        "upload_id": "uuid not null",
        "job_id": "uuid",
        "title": "text",
        "status": "text not null",
        "file_name": "text not null",
        "media_type": "text not null",
        "blob": "text not null",
        "size": "bigint not null",
        "notify_email": "text",
        "seconds": "float8",
        "language": "text",
        "model": "text",
        "words": "int",
        "transcript": "text",
        "corrections": "int not null default 0",
        "understood_by": "text",
        "report_subject": "text",
        "report_html": "text",
        "report_text": "text",
        "recorded_at": "timestamptz",
        "uploaded_at": "timestamptz not null",
        "uploaded_by": "text not null",
        "updated_at": "timestamptz not null",
        "position": "bigint not null",
        "revision": "bigint not null",
    },
    key=("id",),
    indexes=(
        "create index on {table} (position)",
        "create index on {table} (job_id, position)",
        "create index on {table} (status, position)",
    ),
)

STAGES = Table(
    "stages",
    {
        "session_id": "uuid",
        "n": "int",
        "stage": "text not null",
        "state": "text not null",
        "attempts": "int not null",
        "started_at": "timestamptz",
        "finished_at": "timestamptz",
        "error_code": "text",
        "error_detail": "text",
    },
    key=("session_id", "n"),
)

SEGMENTS = Table(
    "segments",
    {
        "session_id": "uuid",
        "n": "int",
        "text": "text not null",
        "start_s": "float8 not null",
        "end_s": "float8 not null",
        "start_char": "int not null",
        "end_char": "int not null",
        "confidence": "float8",
        "speaker": "text",
        "words": "jsonb not null",
    },
    key=("session_id", "n"),
)

SUGGESTIONS = Table(
    "suggestions",
    {
        "session_id": "uuid",
        "n": "int",
        "kind": "text not null",
        "said": "text not null",
        "candidate_id": "uuid not null",
        "candidate": "text not null",
        "similarity": "float8 not null",
    },
    key=("session_id", "n"),
)

SUMMARIES = Table(
    "summaries",
    {
        "session_id": "uuid",
        "text": "text not null",
        "method": "text not null",
        "sentences": "jsonb not null",
        "notes": "jsonb not null",
        "made_at": "timestamptz not null",
    },
    key=("session_id",),
)

DISCREPANCIES = Table(
    "discrepancies",
    {
        "session_id": "uuid",
        "id": "uuid",
        "kind": "text not null",
        "about": "text not null",
        "detail": "text not null",
        "said": "jsonb not null",
        "against": "jsonb not null",
        "source_id": "uuid not null",
        "method": "text not null",
        "found_at": "timestamptz not null",
        "position": "bigint not null",
    },
    key=("session_id", "id"),
    indexes=(
        "create index on {table} (position)",
        "create index on {table} (id)",
        "create index on {table} (source_id)",
    ),
)

DECISIONS = Table(
    "decisions",
    {
        "session_id": "uuid",
        "discrepancy_id": "uuid",
        "decision": "text not null",
        "note": "text not null",
        "decided_by": "text not null",
        "decided_at": "timestamptz not null",
    },
    key=("session_id", "discrepancy_id"),
)

TRANSCRIPTIONS = Table(
    "transcriptions",
    {
        "session_id": "uuid",
        "request_id": "uuid",
        "state": "text not null",
        "dry_run": "boolean not null",
        "model": "text",
        "words": "int",
        "blob": "text",
        "against": "text",
        "error_code": "text",
        "error_detail": "text",
        "requested_at": "timestamptz not null",
        "updated_at": "timestamptz not null",
    },
    key=("session_id", "request_id"),
)

QUOTES = Table(
    "quotes",
    {
        "session_id": "uuid",
        "blob": "text",
        "source_id": "uuid",
    },
    key=("session_id", "blob", "source_id"),
    indexes=("create index on {table} (source_id)",),
)
"""Which blobs of a recording hold words of which other source, also those of summaries that a newer one has replaced:
they are kept for the past, and must go with the source."""

OF_SESSIONS = (
    SESSIONS,
    STAGES,
    SEGMENTS,
    SUGGESTIONS,
    SUMMARIES,
    DISCREPANCIES,
    DECISIONS,
    TRANSCRIPTIONS,
    QUOTES,
)

BUILDERS = Table(
    "builders",
    {
        "id": "uuid",
        "name": "text not null",
        "normal": "text not null",
        "session_id": "uuid",
        "added_at": "timestamptz not null",
        "updated_at": "timestamptz not null",
        "position": "bigint not null",
        "revision": "bigint not null",
    },
    key=("id",),
    indexes=("create index on {table} (position)", "create index on {table} (normal)"),
)

JOBS = Table(
    "jobs",
    {
        "id": "uuid",
        "name": "text not null",
        "normal": "text not null",
        "builder_id": "uuid",
        "closed": "boolean not null",
        "session_id": "uuid",
        "added_at": "timestamptz not null",
        "updated_at": "timestamptz not null",
        "position": "bigint not null",
        "revision": "bigint not null",
    },
    key=("id",),
    indexes=(
        "create index on {table} (position)",
        "create index on {table} (builder_id, position)",
        "create index on {table} (normal)",
    ),
)

SUBSCRIBERS = Table(
    "subscribers",
    {"job_id": "uuid", "address": "text", "email": "text not null", "since": "timestamptz not null"},
    key=("job_id", "address"),
)

ACTION_ITEMS = Table(
    "action_items",
    {
        "id": "uuid",
        "text": "text not null",
        "owner": "text",
        "due": "date",
        "done": "boolean not null",
        "done_at": "timestamptz",
        "session_id": "uuid",
        "job_id": "uuid",
        "quote": "text",
        "place": "jsonb",
        "method": "text not null",
        "added_at": "timestamptz not null",
        "updated_at": "timestamptz not null",
        "position": "bigint not null",
        "revision": "bigint not null",
    },
    key=("id",),
    indexes=(
        "create index on {table} (position)",
        "create index on {table} (job_id, position)",
        "create index on {table} (session_id)",
    ),
)

WITHDRAWN_ITEMS = Table(
    "withdrawn_items",
    {"id": "uuid", "session_id": "uuid"},
    key=("id",),
    indexes=("create index on {table} (session_id)",),
)
"""Action items that their recording asks for no longer: they go with it, and may come back."""

HISTORY = Table(
    "history",
    {
        "id": "uuid",
        "position": "bigint",
        "aggregate": "text not null",
        "event": "text not null",
        "job_id": "uuid",
        "actor": "text not null",
        "at": "timestamptz not null",
    },
    key=("id", "position"),
    indexes=("create index on {table} (position)", "create index on {table} (job_id, position)"),
)
