"""Webhooks: how calls are signed, where they may go, and how they are made."""
