"""Every handler of `notifications`."""

from collections.abc import Callable
from datetime import datetime

from handlers.handler import Handler
from handlers.notifications.deliveries.deliver import Posts, deliverers
from handlers.notifications.forget import forgetter, mail_forgetter
from handlers.notifications.reports import report_notifier
from handlers.notifications.sessions import (
    discrepancy_notifier,
    failure_notifier,
    session_followers,
    session_forgetter,
)
from handlers.notifications.webhooks.post import poster
from handlers.notifications.webhooks.registry import Webhooks
from infra.blobs import Blobs
from infra.log import Log
from infra.mail import NOBODY


def notifying(*, log: Log, blobs: Blobs, posts: Posts, clock: Callable[[], datetime]) -> tuple[Handler, ...]:
    """What follows for those who want to be told."""
    webhooks = Webhooks(log)
    sender = posts.mailer.sender if posts.mailer else NOBODY
    return (
        report_notifier(log=log, blobs=blobs, sender=sender, recipients=posts.recipients),
        discrepancy_notifier(log=log),
        failure_notifier(log=log),
        *session_followers(log=log),
        poster(blobs=blobs, webhooks=webhooks),
        *deliverers(log=log, blobs=blobs, posts=posts, webhooks=webhooks, clock=clock),
        session_forgetter(),
        forgetter(),
        mail_forgetter(log=log),
    )
