"""The one list of contexts: to add one, add its line to each of these, and what it brings to `wiring`."""

from typing import Any

from app.chat import answer_queries, answer_topics
from app.chat import description as chat_description
from app.chat import queries as chat_queries
from app.chat import topics as chat_topics
from app.http.asyncapi import Channel
from app.jobsite import attachment_queries
from app.jobsite import queries as jobsite_queries
from app.jobsite import topics as jobsite_topics
from app.knowledge import queries as knowledge_queries
from app.knowledge import topics as knowledge_topics
from app.notifications import queries as notifications_queries
from app.notifications import topics as notifications_topics
from app.operations import letters
from app.operations import topics as operations_topics
from app.operations.proofs import Proof
from events.catalogue import Upcast
from events.chat import CHAT_EVENTS
from events.identity import IDENTITY_EVENTS
from events.jobsite import JOBSITE_EVENTS
from events.knowledge import KNOWLEDGE_EVENTS
from events.notifications import NOTIFICATIONS_EVENTS
from events.operations import OPERATIONS_EVENTS
from handlers.chat.answer.decide import ANSWERS
from handlers.chat.project.decide import PROJECTS
from handlers.chat.reply.decide import REPLIES
from handlers.commands import Decider
from handlers.identity.decide import API_KEYS
from handlers.jobsite.action_item.decide import ACTION_ITEMS
from handlers.jobsite.attachment.decide import ATTACHMENTS
from handlers.jobsite.builder.decide import BUILDERS
from handlers.jobsite.job.decide import JOBS
from handlers.jobsite.session.decide import SESSIONS
from handlers.knowledge.collection.decide import COLLECTIONS
from handlers.knowledge.document.decide import DOCUMENTS
from handlers.notifications.decide import INBOXES, NOTIFICATIONS, SOURCES
from handlers.notifications.deliveries.decide import DELIVERIES
from handlers.notifications.webhooks.decide import WEBHOOKS
from handlers.operations.decide import ALERTS, DEAD_LETTERS, ERASURES
from infra.retrieval import Index
from infra.retrieval.spaces import Spaces, slots_of
from projections.chat import CHAT
from projections.jobsite import jobsite
from projections.knowledge import knowledge
from projections.notifications import NOTIFICATIONS as NOTIFICATIONS_MODEL
from projections.operations import OPERATIONS
from projections.projection import Projection

NAMES = ("jobsite", "knowledge", "chat", "notifications", "identity", "operations")
STREAMS = tuple(name.upper() for name in NAMES)
SCOPES = (
    *(
        f"{area}:{verb}"
        for area in (*NAMES, "keys", "compute")
        if area != "identity"
        for verb in ("read", "write")
    ),
    "metrics:read",
)
"""What keys can be given."""
EVENTS = (
    *JOBSITE_EVENTS,
    *KNOWLEDGE_EVENTS,
    *CHAT_EVENTS,
    *NOTIFICATIONS_EVENTS,
    *IDENTITY_EVENTS,
    *OPERATIONS_EVENTS,
)
UPCASTS: tuple[Upcast[Any, Any], ...] = ()
DECIDERS: tuple[Decider[Any, Any], ...] = (
    SESSIONS,
    BUILDERS,
    JOBS,
    ATTACHMENTS,
    ACTION_ITEMS,
    COLLECTIONS,
    DOCUMENTS,
    PROJECTS,
    REPLIES,
    ANSWERS,
    API_KEYS,
    DEAD_LETTERS,
    ALERTS,
    ERASURES,
    NOTIFICATIONS,
    INBOXES,
    SOURCES,
    DELIVERIES,
    WEBHOOKS,
)
READ_MODELS = {
    "jobsite": "JOBSITE",
    "knowledge": "KNOWLEDGE",
    "chat": "CHAT",
    "notifications": "NOTIFICATIONS",
    "operations": "OPERATIONS",
}
"""Projections and their streams."""
STAGED = ("jobsite.session", "jobsite.attachment", "knowledge.document")
"""What runs through stages; their rows have a `status`, which is `completed` when every stage is."""
TOPICS = (
    *jobsite_topics.TOPICS,
    *knowledge_topics.TOPICS,
    *chat_topics.TOPICS,
    *notifications_topics.TOPICS,
    answer_topics.ANSWERS,
    *operations_topics.TOPICS,
)
COUNTS = {
    "sessions": jobsite_queries.counts,
    "attachments": attachment_queries.counts,
    "documents": knowledge_queries.counts,
    "projects": chat_queries.counts,
    "notifications": notifications_queries.counts,
    "outbox": notifications_queries.outbox_counts,
    "chats": answer_queries.counts,
    "deadLetters": letters.counts,
    "alerts": letters.alert_counts,
}
"""What `/status` counts."""
CHANNELS: tuple[Channel, ...] = (*chat_description.channels(),)
"""Sockets of their own, for `/asyncapi.json`."""
PROOFS = (
    Proof("jobsite.session", "/v1/sessions/{sessionId}", "jobsite:read", "sessions"),
    Proof("jobsite.attachment", "/v1/attachments/{attachmentId}", "jobsite:read", "attachments"),
    Proof("jobsite.job", "/v1/jobs/{jobId}", "jobsite:read", "jobs"),
    Proof("knowledge.document", "/v1/documents/{documentId}", "knowledge:read", "documents"),
    Proof("chat.project", "/v1/projects/{projectId}", "chat:read", "projects"),
    Proof("chat.reply", "/v1/replies/{replyId}", "chat:read", "projects"),
    Proof("chat.answer", "/v1/chats/{answerId}", "chat:read", "chats"),
    Proof("knowledge.collection", "/v1/collections/{collectionId}", "knowledge:read", "collections"),
)
"""What can be deleted, and shown to be."""
OUTLIVING = {
    "jobsite.history.id": "event <> 'deleted'",
    "jobsite.history.job_id": "false",
    "jobsite.builders.session_id": "false",
    "jobsite.jobs.session_id": "false",
    "notifications.notifications.job_id": "false",
    "notifications.deliveries.job_id": "false",
    "notifications.deliveries.source": "status <> 'deleted'",
}
"""Columns with rows that outlive what they name: which of them must go with it all the same. That something was
deleted stays in its history; what was of a job once keeps that in its own; a builder or a job tells in which recording
it was first heard of. Notifications go with their
session, whose job may be another by then; of mail that was sent, to whom and when stays, and not what it said."""


def projections(index: Index, spaces: Spaces) -> tuple[Projection, ...]:
    """The read models. `index` is of recordings; `spaces` are those in which collections can be indexed."""
    return (jobsite(index), knowledge(slots_of(spaces)), CHAT, NOTIFICATIONS_MODEL, OPERATIONS)
