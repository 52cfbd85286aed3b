"""Visitors who leave while an answer is on its way to them: no mistake of anybody, and nothing for the terminal."""

import asyncio
import logging
from typing import Any, Final

from tornado.websocket import WebSocketClosedError

_SENDING: Final = ("bokeh.server.views.ws", "panel.io.document")
"""Loggers of those who send."""


def expected_on(loop: asyncio.AbstractEventLoop) -> None:
    """Have that told on this loop no more; whatever else goes wrong on it is told as before."""
    for name in _SENDING:
        logging.getLogger(name).addFilter(_worth_telling)
    loop.set_exception_handler(_told)


def _worth_telling(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Failed sending message as connection was closed")


def _told(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not isinstance(context.get("exception"), WebSocketClosedError):
        loop.default_exception_handler(context)
