"""Loopback ports: a free one, and the same one again after a restart."""

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from infra.embedded.home import write_private
from infra.embedded.process import EmbeddedServerError

# Below the ports that systems hand out for outgoing connections: a client that keeps trying to reach a server
# that is down would sooner or later be given that very port, connect to itself and keep the server out.
CHOICE = range(15_000, 32_000)
LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """That many different loopback ports that nobody listens on, or has claimed."""
    with claimed(count) as ports:
        return ports


@contextmanager
def claimed(count: int) -> Iterator[list[int]]:
    """So many free ports, for servers to listen on; until the end of this nobody else who asks here is given them."""
    with ExitStack() as stack:
        candidates = iter(random.sample(CHOICE, len(CHOICE)))
        ports: list[int] = []
        while len(ports) < count:
            port = next(candidates)
            if claim := _claim(port):
                stack.enter_context(claim)
                ports.append(port)
        yield ports


def _claim(port: int) -> socket.socket | None:
    """A socket that is bound to the port: alone when it was bound, together with a server from then on."""
    claim = socket.socket()
    try:
        claim.bind((LOOPBACK, port))
    except OSError:
        claim.close()
        return None
    claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return claim


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now; one that was just closed counts as free, too."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            return True
        except OSError:
            return False


@contextmanager
def settled(name: str, wanted: int, memory: Path) -> Iterator[int]:
    """The port to listen on: the wanted one, else the one of the last run kept in `memory`, else a new one.

    A new one is claimed until the end of this: let the server listen by then. Raises EmbeddedServerError when a wanted
    port is taken.
    """
    if wanted and not is_free(wanted):
        raise EmbeddedServerError(
            f"Port {wanted}, meant for {name}, is taken. Stop what listens there or name another port."
        )
    last = int(memory.read_text()) if memory.exists() else 0
    with ExitStack() as stack:
        port = wanted or (last if last and is_free(last) else stack.enter_context(claimed(1))[0])
        write_private(memory, str(port))
        yield port
