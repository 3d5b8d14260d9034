"""Where webhooks may go: to public addresses, and only to the very address that was looked at."""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Callable
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from infra.delivery import Undelivered

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.ip_network("64:ff9b::/96")
LONGEST = 2000
NUMBERS = re.compile(r"[0-9.]+|0x[0-9a-f.x]+", re.IGNORECASE)
"""What systems also take for an IPv4 address: 2130706433, 127.1, 0177.0.0.1."""


class ForbiddenAddress(Undelivered):
    """The webhook leads into a network that is not for it to reach."""

    def __init__(self, host: str) -> None:
        detail = f"{host} is not a public address; WEBHOOK_ALLOW_PRIVATE allows others."
        super().__init__("ADDRESS_FORBIDDEN", detail, final=True)


def check_url(text: str, *, allow_private: bool) -> URL:
    """The URL of a webhook. Raises `ValueError` with what is wrong, `ForbiddenAddress` for an address in it."""
    try:
        url = URL(text)
    except ValueError:
        raise ValueError("must be an http or https URL") from None
    if any(each.isspace() for each in text):
        raise ValueError("must hold no blanks")
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("must be an http or https URL")
    if url.user is not None or url.password is not None:
        raise ValueError("must hold no user and password")
    if len(text) > LONGEST or url.fragment:
        raise ValueError(f"must have no fragment and {LONGEST} characters at most")
    if NUMBERS.fullmatch(url.host) and str(_literal(url.host)) != url.host:
        raise ValueError("must hold a name, or an address in its usual form")
    if not allow_private and (literal := _literal(url.host)) and not is_public(literal):
        raise ForbiddenAddress(url.host)
    return url


def is_public(address: Address) -> bool:
    """Whether an address is reachable from, and belongs to, the public Internet, also where it hides another one."""
    if isinstance(address, ipaddress.IPv6Address):
        hidden = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if not hidden and address in NAT64:
            hidden = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.is_site_local or (hidden and not is_public(hidden)):
            return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_loopback or address.is_link_local
    )


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


class PublicResolver(AbstractResolver):
    """Resolves names with the system, and refuses those of which any address is not public."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        addresses = [(kind, where[0]) for kind, _, _, _, where in found]
        if not all(is_public(ipaddress.ip_address(address)) for _, address in addresses):
            raise ForbiddenAddress(host)
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=kind,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


def public_socket(address: Any) -> socket.socket:
    """A socket for exactly this address, as aiohttp is about to connect it. Raises `ForbiddenAddress`."""
    family, kind, protocol, _, where = address
    if not is_public(ipaddress.ip_address(where[0])):
        raise ForbiddenAddress(str(where[0]))
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)
    return made


SocketFactory = Callable[[Any], socket.socket]
