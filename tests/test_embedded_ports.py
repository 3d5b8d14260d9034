"""Loopback ports: given to one only, kept until its server listens, and found again."""

import socket
from pathlib import Path

import pytest

from infra.embedded.ports import claimed, free_ports, is_free, settled
from infra.embedded.process import EmbeddedServerError


def listening(port: int) -> socket.socket:
    """A server, as all of ours are: it may listen where a claim or a closed connection is."""
    return socket.create_server(("127.0.0.1", port))


def test_what_is_claimed_is_given_to_nobody_else_but_its_server_may_listen_there() -> None:
    with claimed(3) as ports:
        assert len(set(ports)) == 3
        for port in ports:
            with pytest.raises(OSError, match="in use"), socket.socket() as other:
                other.bind(("127.0.0.1", port))  # as whoever looks for a free one does
            assert is_free(port)
            with listening(port):
                assert not is_free(port)
    with listening(ports[0]):
        pass


def test_ports_are_different_and_free() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(map(is_free, ports))


def test_a_server_listens_where_it_did_unless_that_is_taken(tmp_path: Path) -> None:
    with settled("it", 0, tmp_path / "port") as first, listening(first):
        pass
    with settled("it", 0, tmp_path / "port") as again:
        assert again == first
    with listening(first), settled("it", 0, tmp_path / "port") as another:
        assert another != first
    with settled("it", 0, tmp_path / "port") as again:
        assert again == another


def test_a_wanted_port_that_is_taken_is_named(tmp_path: Path) -> None:
    [port] = free_ports(1)
    taken = pytest.raises(EmbeddedServerError, match=rf"{port}.*is taken")
    with listening(port), taken, settled("it", port, tmp_path / "port"):
        pass
