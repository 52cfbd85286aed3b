"""Dates as event databases write them."""

import re
from datetime import date, datetime
from typing import Final

_ISO: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?")
_WORDS: Final = ("%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%d-%B-%Y")
ALLOWED: Final = "dates such as 2024-02-01 or 1 February 2024"


def date_of(text: str) -> date | None:
    """The date that a cell tells; None where it tells none.

    >>> date_of("16 May 2025"), date_of("2024-02-01 00:00:00.000"), date_of("02/01/24")
    (datetime.date(2025, 5, 16), datetime.date(2024, 2, 1), None)
    """
    text = text.strip()
    if found := _ISO.fullmatch(text):
        try:
            return date.fromisoformat(found[1])
        except ValueError:
            return None
    for form in _WORDS:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None
