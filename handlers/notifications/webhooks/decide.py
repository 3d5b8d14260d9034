"""Rules of webhooks: who wants to be called, of what."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never
from uuid import UUID

from events.notifications import (
    Kind,
    WebhookAdded,
    WebhookChanged,
    WebhookDeleted,
    WebhookEvent,
    WebhookSecretRotated,
)
from handlers.commands import Command, Decider, as_told
from handlers.refusals import NotFound


class AddWebhook(Command, frozen=True, kw_only=True):
    webhook_id: UUID
    url: str
    kinds: tuple[Kind, ...] = ()
    job_ids: tuple[UUID, ...] = ()
    description: str = ""
    active: bool = True


class ChangeWebhook(Command, frozen=True, kw_only=True):
    """What is None stays as it is."""

    webhook_id: UUID
    url: str | None = None
    kinds: tuple[Kind, ...] | None = None
    job_ids: tuple[UUID, ...] | None = None
    description: str | None = None
    active: bool | None = None


class RotateSecret(Command, frozen=True, kw_only=True):
    webhook_id: UUID


class DeleteWebhook(Command, frozen=True, kw_only=True):
    webhook_id: UUID


WebhookCommand = AddWebhook | ChangeWebhook | RotateSecret | DeleteWebhook


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class Webhook:
    wish: WebhookAdded
    generation: int = 1

    def wants(self, kind: Kind, job_id: UUID | None) -> bool:
        wish = self.wish
        return (
            wish.active
            and (not wish.kinds or kind in wish.kinds)
            and (not wish.job_ids or job_id in wish.job_ids)
        )


@dataclass(frozen=True)
class Deleted:
    pass


State = Absent | Webhook | Deleted


def decide(command: WebhookCommand, state: State) -> Sequence[WebhookEvent]:
    match command, state:
        case AddWebhook() as c, Absent():
            return [as_told(WebhookAdded, c)]
        case AddWebhook(), _:
            return []
        case DeleteWebhook(), Deleted():
            return []
        case _, (Absent() | Deleted()):
            raise NotFound("WEBHOOK_NOT_FOUND", f"There is no webhook {command.webhook_id}.")
        case _, Webhook():
            return _change(command, state)
    assert_never(state)


def _change(command: WebhookCommand, webhook: Webhook) -> Sequence[WebhookEvent]:
    match command:
        case ChangeWebhook() as c:
            changed = _changed(c, webhook.wish)
            return (
                [] if changed == _changed(ChangeWebhook(webhook_id=c.webhook_id), webhook.wish) else [changed]
            )
        case RotateSecret() as c:
            return [WebhookSecretRotated(webhook_id=c.webhook_id, generation=webhook.generation + 1)]
        case DeleteWebhook() as c:
            return [WebhookDeleted(webhook_id=c.webhook_id)]
        case AddWebhook():
            return []
    assert_never(command)


def _changed(command: ChangeWebhook, wish: WebhookAdded) -> WebhookChanged:
    members = ("url", "kinds", "job_ids", "description", "active")
    now = {
        name: getattr(wish, name) if getattr(command, name) is None else getattr(command, name)
        for name in members
    }
    return WebhookChanged(webhook_id=command.webhook_id, **now)


def evolve(state: State, event: WebhookEvent) -> State:
    match event, state:
        case WebhookAdded() as e, (Absent() | Deleted()):
            return Webhook(e)
        case WebhookAdded() as e, Webhook() as w:  # changed
            return replace(w, wish=e)
        case WebhookSecretRotated() as e, Webhook() as w:
            return replace(w, generation=e.generation)
        case WebhookDeleted(), _:
            return Deleted()
    return state


WEBHOOKS: Decider[WebhookCommand, State] = Decider(
    "notifications",
    "webhook",
    (AddWebhook, ChangeWebhook, RotateSecret, DeleteWebhook),
    Absent(),
    decide,
    evolve,
    creates=(AddWebhook,),
)
