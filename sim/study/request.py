"""What a user asked of the command: a verb, overrides, perhaps a folder of files of their own."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from sim.world.errors import UserError
from sim.world.scenario import Config, load
from sim.world.schema import STUDY_KEYS


@dataclass(frozen=True)
class Request:
    """One call of one verb.

    `overrides` are Hydra's, such as `seed=7`; `home` is the folder of results to make where the caller decides it.
    """

    verb: str
    overrides: tuple[str, ...] = ()
    config_dir: Path | None = None
    home: Path | None = None

    @property
    def command(self) -> str:
        """The command line that asks the same again.

        >>> Request("run", ("seed=7", "events.campaign.to=null")).command
        'lull run seed=7 events.campaign.to=null'
        """
        folder = () if self.config_dir is None else ("--config-dir", str(self.config_dir))
        return shlex.join(("lull", self.verb, *folder, *self.overrides))

    def config(self) -> Config:
        """The configuration that the overrides make, of a verb that lives one of them.

        Raises:
            UserError: it cannot be used, or an override asks for what only a sweep does.
        """
        check_one_point(self.overrides)
        return load(self.overrides, self.config_dir)

    def taking(self, name: str) -> tuple[str | None, Self]:
        """The text of a key that belongs to the verb and not to the configuration, and the request without it.

        >>> Request("replay", ("run=3", "seed=7")).taking("run")
        ('3', Request(verb='replay', overrides=('seed=7',), config_dir=None, home=None))

        Raises:
            UserError: the key is given twice.
        """
        given = [one for one in self.overrides if one.partition("=")[0] == name]
        if len(given) > 1:
            raise UserError(name, " ".join(given), "one value, given once")
        rest = replace(self, overrides=tuple(one for one in self.overrides if one not in given))
        return (given[0].partition("=")[2] if given else None), rest


def check_one_point(overrides: Sequence[str]) -> None:
    """Refuse keys that only a sweep reads: passed over in silence, they would seem to have been heeded.

    Raises:
        UserError: there is one.
    """
    for text in overrides:
        key, _, value = text.partition("=")
        section, _, name = key.lstrip("+").partition(".")
        if section == "study" and name in STUDY_KEYS and name != "runs" and value != "null":
            raise UserError(key, value, f"study.runs here; {key} is for `lull sweep`")


def whole(key: str, text: str, low: int, high: int) -> int:
    """A whole number as a user writes it.

    >>> whole("run", "4711", 0, 2**48 - 1)
    4711

    Raises:
        UserError: it is none, or it lies outside.
    """
    longest = len(str(high))  # Python refuses to read a number of thousands of digits
    if not text.isascii() or not text.isdigit() or len(text.lstrip("0")) > longest or not low <= int(text) <= high:
        raise UserError(key, text, f"a whole number from {low} to {high}")
    return int(text)


def override_texts(overrides: Mapping[str, Any] | Sequence[str], given: Mapping[str, Any]) -> list[str]:
    """Overrides as on the command line, then those of `given` that are not None, which therefore have the last word.

    >>> override_texts({"history": "free", "mechanisms.fear": False}, {"seed": 3, "study.runs": None})
    ['history=free', 'mechanisms.fear=false', 'seed=3']
    """
    from sim.study.sweep.axes import spelled

    if isinstance(overrides, Mapping):
        overrides = [f"{key}={spelled(value)}" for key, value in overrides.items()]
    return [*overrides, *(f"{key}={value}" for key, value in given.items() if value is not None)]
