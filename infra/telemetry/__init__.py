"""What the running system tells about itself: logs, traces, metrics and heartbeats."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"})


def known_method(method: str) -> str:
    """An HTTP method as traces and metrics name it: any that HTTP does not define is `_OTHER`."""
    return method if method in _METHODS else "_OTHER"
