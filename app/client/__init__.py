"""Headwater for Python programs: typed, asynchronous, and patient with networks."""

from app.client.errors import HeadwaterError, Refused, Unreachable
from app.client.headwater import Headwater
from app.client.patience import Patience

__all__ = ["Headwater", "HeadwaterError", "Patience", "Refused", "Unreachable"]
