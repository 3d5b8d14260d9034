"""Loopback ports: a free one, and the same one again after a restart."""

import random
import socket
from pathlib import Path

from infra.embedded.home import write_private
from infra.embedded.process import EmbeddedServerError

# Below the ports that systems hand out for outgoing connections: a client that keeps trying to reach a server
# that is down would sooner or later be given that very port, connect to itself and keep the server out.
CHOICE = range(15_000, 32_000)


def free_ports(count: int) -> list[int]:
    """That many different loopback ports that nobody listens on."""
    # Listening is the server's business: between this look and that another process may be faster.
    candidates = (port for port in random.sample(CHOICE, len(CHOICE)) if is_free(port, claimed=False))
    return [next(candidates) for _ in range(count)]


def is_free(port: int, *, claimed: bool = True) -> bool:
    """Whether a server could listen on this loopback port now; unless `claimed`, only where nobody has claimed it.

    A claim is a socket that is bound and may be bound again (`SO_REUSEADDR`); one that was just closed counts as such.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(claimed))
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def settle(name: str, wanted: int, memory: Path) -> int:
    """The port to listen on: the wanted one, else the one of the last run kept in `memory`, else a new one.

    Raises EmbeddedServerError when a wanted port is taken.
    """
    if wanted and not is_free(wanted):
        raise EmbeddedServerError(
            f"Port {wanted}, meant for {name}, is taken. Stop what listens there or name another port."
        )
    last = int(memory.read_text()) if memory.exists() else 0
    port = wanted or (last if last and is_free(last) else free_ports(1)[0])
    write_private(memory, str(port))
    return port
