"""Importing what will be needed later while something else is at work."""

from importlib import import_module
from threading import Thread


def preload(*modules: str) -> None:
    """Begin to import modules in the background; whoever needs one waits only for what is left."""
    Thread(target=lambda: [import_module(name) for name in modules], daemon=True).start()
