"""A mail server for tests: it listens on this machine and hands what comes to a handler."""

from typing import Any

from aiosmtpd.controller import Controller

from tests.live import free_port

# How often another port is tried when somebody takes the one that was free.
TRIES = 5


def listening(handler: Any) -> Controller:
    """A server that has begun; whoever asks for it stops it."""
    left = TRIES
    while True:
        controller = Controller(handler, hostname="127.0.0.1", port=free_port(), ready_timeout=60)
        left -= 1
        try:
            controller.start()
        except OSError:
            if not left:
                raise
        else:
            return controller
