"""Where the shipped data lie: the configuration and the facts.

They have one home, the top level of the repository. A wheel carries a copy inside the package,
so the same call serves a checkout and an installation.
"""

from pathlib import Path
from typing import Final

FOLDERS: Final = ("configs", "seeds")

_PACKAGE: Final = Path(__file__).resolve().parent.parent


def data_folder(name: str, package: Path = _PACKAGE) -> Path:
    """Return the folder of shipped data called `name`.

    The copy inside an installed package comes first: a folder next to `site-packages` or next to a
    `--target` folder belongs to another package. A checkout has no such copy, so there the folder next to the
    package is taken.

    Args:
        name: one of `FOLDERS`.
        package: folder of the installed package; only tests give another.

    Raises:
        ValueError: `name` is not a folder of shipped data.
        FileNotFoundError: the installation lost its data.
    """
    if name not in FOLDERS:
        raise ValueError(f"data folder {name!r}: allowed are {', '.join(FOLDERS)}")
    for folder in (package / "_data" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"data folder {name!r} is missing from the installation in {package}")
