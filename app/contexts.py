"""The one list of contexts: to add one, add its line to each of these."""

from typing import Any

from events.catalogue import Upcast
from events.identity import IDENTITY_EVENTS
from events.jobsite import JOBSITE_EVENTS
from events.operations import OPERATIONS_EVENTS
from handlers.commands import Decider
from handlers.identity.decide import API_KEYS
from handlers.jobsite.decide import SESSIONS
from handlers.operations.decide import ALERTS, DEAD_LETTERS

NAMES = ("jobsite", "identity", "operations")
EVENTS = (*JOBSITE_EVENTS, *IDENTITY_EVENTS, *OPERATIONS_EVENTS)
UPCASTS: tuple[Upcast[Any, Any], ...] = ()
DECIDERS: tuple[Decider[Any, Any], ...] = (SESSIONS, API_KEYS, DEAD_LETTERS, ALERTS)
