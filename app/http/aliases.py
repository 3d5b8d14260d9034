"""Other spellings of the same addresses: `/api/v1/X` and `/api/X` for `/v1/X`, `/ws/…` for `/v1/ws/…`."""

CANONICAL = "/v1/"


def spellings(path: str) -> tuple[str, ...]:
    """Every path under which the endpoint at `path` is served, its own first."""
    if not path.startswith(CANONICAL):
        return (path,)
    rest = path.removeprefix(CANONICAL)
    short = (f"/{rest}",) if rest == "ws" or rest.startswith("ws/") else ()
    return (path, f"/api{path}", f"/api/{rest}", *short)
