"""Recordings of every kind, whole and broken, and what becomes of them."""
