"""The server's process: uvicorn with the application, and the swap of the model by SIGHUP."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from prnn_cli.errors import Stopped, UserError
from prnn_cli.reporting.terminal import say
from prnn_cli.schema import ServeCommand
from prnn_cli.serving.http_app import Holder, Meters, create_app
from prnn_cli.serving.served_model import ServedModel

GRACE_S = 10  # that requests which have begun have to end in, once the server is to stop

log = logging.getLogger(__name__)


def listen(host: str, port: int) -> socket.socket:
    """A socket that clients can already connect to. Raises `UserError` where the address cannot be had."""
    try:
        family = socket.getaddrinfo(host or "?", port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError, UnicodeError) as error:
        raise UserError(
            f"host={host} port={port} cannot be listened to ({_reason(error)}); choose "
            "another port, or an address of this machine"
        ) from error


def _reason(error: Exception) -> str:
    """The system's words, without what Python adds to them."""
    number = getattr(error, "errno", None)
    return os.strerror(number) if isinstance(number, int) and number > 0 else str(error)


def serve(
    model: ServedModel, load: Callable[[], ServedModel], listening: socket.socket, settings: ServeCommand
) -> None:
    """Serves until SIGINT or SIGTERM; requests that have begun are answered. SIGHUP has `load` make the next model."""
    holder, meters = Holder(model), Meters()
    config = uvicorn.Config(
        create_app(holder, settings.limits, settings.ttl, meters),
        log_level="warning",
        access_log=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = uvicorn.Server(config)

    one_at_a_time = asyncio.Lock()  # or an earlier load could end last

    async def reload() -> None:
        async with one_at_a_time:
            try:
                holder.model = await asyncio.to_thread(load)
            except Exception as error:  # whatever it is, the old model goes on
                meters.reloads.labels("refused").inc()
                log.error("the model stays as it is: %s", error)
                return
        meters.reloads.labels("done").inc()
        say(f"serving {holder.model.name} now, {len(holder.model.item_ids):,} items")

    async def main() -> None:
        reloads: set[asyncio.Task[None]] = set()
        loop = asyncio.get_running_loop()

        def swap() -> None:
            task = loop.create_task(reload())
            reloads.add(task)
            task.add_done_callback(reloads.discard)

        loop.add_signal_handler(signal.SIGHUP, swap)
        host, port = listening.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        say(
            f"serving {model.name}, {len(model.item_ids):,} items, at http://{shown}:{port} (/docs shows how to ask)"
        )
        await server.serve(sockets=[listening])

    with suppress(Stopped), asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(main())
