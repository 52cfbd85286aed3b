"""A user's file as a table of texts, whatever it is stored in.

Text in UTF-8, UTF-16 or cp1252 with commas, semicolons, tabs or bars; the same in gzip or zip; Excel; Parquet; the JSON
of the interfaces of ACLED and UCDP. Titles above the header and the row of HXL tags below it are passed over. Of text
and Parquet only the columns that are asked for are held, each distinct text once. Nothing is unpacked to the disk: rows
may be licensed.
"""

import bz2
import codecs
import csv
import gzip
import io
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, time
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from sim.experiment.formats import size
from sim.experiment.io import existing_file
from sim.model.validation import UserError

if TYPE_CHECKING:
    import pandas as pd

LARGEST: Final = 2_000_000_000
"""Bytes of the largest file that is read: about four million rows of ACLED. A larger one is refused unread."""
BLOCK: Final = 1 << 22
"""Bytes of text that are looked at together; a longer row is refused."""
LARGEST_WHOLE: Final = 300_000_000
"""The same of what is held in memory as a whole: Excel and JSON, and Parquet in a zip file."""
DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
PLAIN: Final = "CSV, UTF-8, parted by commas"
_HEAD: Final = 1 << 18
_TITLES: Final = 12
"""Records at the top among which the header is looked for."""
_BROKEN: Final = re.compile("[\udc80-\udcff]")
"""Bytes that are no UTF-8, as `surrogateescape` writes them, and those of them that cp1252 lacks."""
_CP1252_GAPS: Final = frozenset("\udc81\udc8d\udc8f\udc90\udc9d")
_DAMAGED: Final = (
    OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException, csv.Error, ValueError,
    KeyError, SyntaxError,
)  # fmt: skip
"""What libraries raise on files that are cut off or damaged; errors of XML are syntax errors."""
_PACKED: Final[dict[bytes, tuple[str, Callable[..., Any]]]] = {
    b"\x1f\x8b": ("gzip", gzip.open), b"BZh": ("bzip2", bz2.open), b"\xfd7zXZ": ("xz", lzma.open),
}  # fmt: skip
_MISSING: Final = frozenset(("NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None"))
"""How programs write that a cell holds nothing."""
_POINTER: Final = re.compile(rb"version https://git-lfs.github.com/spec/.*?^size (\d+)", re.DOTALL | re.MULTILINE)

Opener = Callable[[], IO[bytes]]
Records = Callable[[], Iterable[Sequence[str]]]
Columns = Callable[[int, int, list[int]], pa.Table]
"""From how many columns there are, how many records are skipped and the places of some columns, these columns."""
Known = Callable[[Sequence[str]], bool]
"""Whether the columns of a header, as `column_name` writes them, are those of something that is read."""


def refused(path: Path, allowed: str) -> UserError:
    """The one line about a file that cannot be used."""
    return UserError("data", path.name, allowed)


def column_name(text: str) -> str:
    """A column as it is looked for.

    >>> column_name(" Event Date"), column_name("SUB-EVENT_TYPE")
    ('event_date', 'sub_event_type')
    """
    return re.sub(r"[\s_-]+", "_", text.strip().casefold())


@dataclass(frozen=True)
class TableFile:
    """A table in a file.

    `stored` says what it is stored in, `encoding` and `delimiter` are empty where it is no text. `records` reads all
    rows from the top, `columns` some columns from the first row of data on, and faster. `header` has the columns as
    written; `skipped` records stand above the first row of data, and `tags` says whether HXL tags are among them.
    """

    path: Path
    stored: str
    records: Records
    columns: Columns | None = None
    encoding: str = ""
    delimiter: str = ""
    header: tuple[str, ...] = ()
    skipped: int = 0
    tags: bool = False

    @property
    def names(self) -> list[str]:
        """The columns as they are looked for."""
        return [column_name(one) for one in self.header]

    @property
    def words(self) -> str:
        """How it is stored, in words."""
        encoding = {"utf-8-sig": "UTF-8", "cp1252": "cp1252 (Windows)"}.get(self.encoding, self.encoding.upper())
        parted = f"parted by {DELIMITERS[self.delimiter]}" if self.delimiter else ""
        return ", ".join(filter(None, (self.stored, encoding, parted, "a row of HXL tags" if self.tags else "")))

    def renamed(self, names: dict[str, str]) -> "TableFile":
        """The same table with other names for some columns."""
        return replace(self, header=tuple(names.get(column_name(one), one) for one in self.header))

    def frame(self, wanted: Sequence[str], short: bool = False) -> "pd.DataFrame":
        """Those of some columns that are there, as categories of texts; rows count from 1, blank ones are left out.

        pyarrow reads what it can; a file that it refuses is looked at row by row, for a line that says which.

        Args:
            wanted: the columns as they are looked for.
            short: whether cells may be missing at the end of a row.

        Raises:
            UserError: a column stands twice, a row has more or fewer cells, or the file is damaged.
        """
        import pandas as pd

        names = [one for one in self.names if one and one in wanted]
        twice = next((one for one in names if names.count(one) > 1), None)
        if twice is not None:
            raise refused(self.path, f"each column once; {twice} stands {names.count(twice)} times")
        places = [self.names.index(one) for one in names]
        with damage_named(self.path):
            read = None
            if self.columns is not None:
                with suppress(pa.ArrowInvalid):
                    read = self.columns(len(self.header), self.skipped, places)
            if read is None:
                rows = [[row[place] for place in places] for row in self._rows(short)]
                read = pa.table([pa.array([row[at] for row in rows], pa.string()) for at in range(len(places))], names)
            texts = [_texts(column) for column in read.columns]
        frame = pd.DataFrame(dict(zip(names, texts, strict=True)), copy=False)
        frame = frame[np.any([one != "" for one in texts], axis=0)] if texts else frame
        return frame.set_axis(np.arange(1, len(frame) + 1), axis=0)

    def _rows(self, short: bool) -> Iterator[Sequence[str]]:
        """The rows of data, each as long as the header."""
        number, width = 0, len(self.header)
        for row in islice(self.records(), self.skipped, None):
            if not any(cell.strip() for cell in row):
                continue
            number += 1
            if (len(row) < width and not short) or any(cell.strip() for cell in row[width:]):
                advice = "is a quotation mark not closed?" if any("\n" in cell for cell in row) else "get the file anew"
                said = f"rows of {width} cells, as many as columns; row {number} has {len(row)}: {advice}"
                raise refused(self.path, said)
            yield [*row[:width], *[""] * (width - len(row))]


def _texts(column: pa.ChunkedArray) -> "pd.Categorical":
    """A column as categories of bare texts; what is missing is an empty one."""
    import pandas as pd

    encoded = column.unify_dictionaries().combine_chunks() if pa.types.is_dictionary(column.type) else None
    if encoded is None:
        encoded = column.combine_chunks().dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    texts = [one.strip() if isinstance(one, str) else _cell(one) for one in texts]
    texts = ["" if one in _MISSING else one for one in texts]
    codes, distinct = pd.factorize(np.array([*texts, ""], dtype=object))
    places = np.asarray(encoded.indices.fill_null(len(texts)))
    return pd.Categorical.from_codes(codes[places], distinct)


def each(column: "pd.Series", answer: Callable[[str], Any], dtype: npt.DTypeLike = object) -> npt.NDArray[Any]:
    """What a function says of every text of a column of `frame`; each distinct text is looked at once."""
    answers = np.array([answer(text) for text in column.cat.categories], dtype=dtype)
    return answers[column.cat.codes.to_numpy()]


def open_table(path: Path, known: Known) -> TableFile:
    """Find out how a table is stored, and where its header is.

    Raises:
        UserError: there is no such file, or it is too large, damaged, or no table; the line says what to do.
    """
    _check_bytes(path, existing_file("data", path))
    with damage_named(path):
        packed, opener = _unpacked(path)
        with opener() as stream:
            head = stream.read(_HEAD)
        if pointer := _POINTER.match(head):
            raise refused(
                path, f"the file itself; this is a Git LFS pointer to {size(float(pointer[1]))}: run `git lfs pull`"
            )
        if not head.strip():
            raise refused(path, "a table; this one is empty")
        start = head.lstrip(codecs.BOM_UTF8).lstrip()
        if head.startswith(b"PAR1"):
            source = pa.BufferReader(_held(path, opener).getvalue()) if packed else path
            records, columns = (partial(one, source) for one in (_parquet_records, _parquet_columns))
            found = [TableFile(path, f"Parquet{packed}", records, columns)]
        elif head.startswith(b"PK\x03\x04"):
            found = [TableFile(path, f"{name}{packed}", rows) for name, rows in _sheets(path, opener)]
        elif head.startswith(b"\xd0\xcf\x11\xe0"):
            raise refused(path, "an Excel file as .xlsx; this is an old or encrypted one: save it as .xlsx or CSV")
        elif start[:1] in (b"{", b"["):
            found = [TableFile(path, f"JSON{packed}", _json_records(path, _held(path, opener)))]
        elif start[:1] == b"<":
            raise refused(path, "a table; this is a web page or XML: log in where it comes from and download it again")
        else:
            found = [_text_file(path, packed, opener, head)]
        full = [one for one in (_headed(table, known) for table in found) if one is not None]
    if not full:
        raise refused(path, "a table; this one is empty")
    if len(several := [one.stored for one in full if known(one.names)]) > 1:
        raise refused(
            path,
            f"a workbook with one sheet of data; this one has {len(several)} ({', '.join(several[:4])}): save the one"
            " you want as CSV, or put their rows into one",
        )
    return next((one for one in full if known(one.names)), max(full, key=lambda one: len(one.header)))


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turn what libraries say of a damaged file into one line."""
    try:
        yield
    except UserError:
        raise
    except _DAMAGED as problem:
        said = " ".join(str(getattr(problem, "strerror", None) or problem).split())[:80]
        if "field larger" in said:
            said = f"a row is longer than {csv.field_size_limit():,} characters: is a quotation mark not closed?"
        raise refused(path, f"a file that can be read ({said or type(problem).__name__}); get it anew") from None


def _check_bytes(path: Path, there: int, held: bool = False) -> None:
    most = LARGEST_WHOLE if held else LARGEST
    if there > most:
        kind = "Excel, JSON and packed Parquet files" if held else "files"
        raise refused(path, f"{kind} of at most {size(most)}; this one has {size(there)}: save a part of it as CSV")


def _unpacked(path: Path) -> tuple[str, Opener]:
    """What a file is packed in, in words, and how to open what is inside."""
    with path.open("rb") as file:
        start = file.read(6)
    for sign, (name, opened) in _PACKED.items():
        if start.startswith(sign):
            return f" in {name}", partial(opened, path, "rb")
    if not start.startswith(b"PK\x03\x04"):
        return "", lambda: path.open("rb")
    with zipfile.ZipFile(path) as archive:
        inside = archive.infolist()
    names = {one.filename for one in inside}
    if "[Content_Types].xml" in names:
        return "", lambda: path.open("rb")
    if "mimetype" in names:
        raise refused(path, "an Excel file as .xlsx; this is an OpenDocument file: save it as .xlsx or CSV")
    files = [one for one in inside if not one.is_dir() and not one.filename.startswith(("__MACOSX", "."))]
    tables = [one for one in files if not re.search(r"readme|\.(pdf|md|html?)$", one.filename.lower())]
    if len(tables) != 1:
        listed = ", ".join(PurePosixPath(one.filename).name for one in tables[:4])
        raise refused(
            path, f"a zip file with one table; this one has {len(tables)} ({listed}): unpack the one you want"
        )
    only = tables[0]
    if only.flag_bits & 1:
        raise refused(path, "a zip file without a password: unpack it first")
    _check_bytes(path, only.file_size)
    return f" in zip ({PurePosixPath(only.filename).name})", lambda: zipfile.ZipFile(path).open(only)


def _held(path: Path, opener: Opener) -> io.BytesIO:
    """The whole content, in memory."""
    with opener() as stream:
        content = stream.read(LARGEST_WHOLE + 1)
    _check_bytes(path, len(content), held=True)
    return io.BytesIO(content)


def _headed(table: TableFile, known: Known) -> TableFile | None:
    """The table with its header, the first that is known or is no title; None where there is nothing."""
    top = [list(row) for row in islice(table.records(), _TITLES)]
    filled = [at for at, row in enumerate(top) if any(cell.strip() for cell in row)]
    if not filled:
        return None
    wide = [at for at in filled if sum(bool(cell.strip()) for cell in top[at]) > 1]
    named = (at for at in filled if known([column_name(one) for one in top[at]]))
    at = next(named, (wide or filled)[0])
    cells = [cell.strip() for cell in top[at + 1] if cell.strip()] if at + 1 < len(top) else []
    tags = bool(cells) and all(cell.startswith("#") for cell in cells)
    return replace(table, header=tuple(top[at]), skipped=at + 1 + tags, tags=tags)


# --- text ---------------------------------------------------------------------------------------------------


def _text_file(path: Path, packed: str, opener: Opener, head: bytes) -> TableFile:
    encoding = _encoding(path, opener, head)
    start = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    lines = start.splitlines(keepends=True)
    delimiter = _delimiter(lines[:-1] if len(lines) > 1 and len(head) == _HEAD else lines)
    stored = f"CSV{packed}" if delimiter == "," else f"text{packed}"
    records, columns = (partial(one, opener, encoding, delimiter) for one in (_text_records, _text_columns))
    return TableFile(path, stored, records, columns, encoding, delimiter)


def _text_records(opener: Opener, encoding: str, delimiter: str) -> Iterator[list[str]]:
    with opener() as raw, io.TextIOWrapper(raw, encoding, newline="") as text:
        yield from csv.reader(text, delimiter=delimiter)


def _text_columns(
    opener: Opener, encoding: str, delimiter: str, width: int, skipped: int, places: list[int]
) -> pa.Table:
    names = [str(place) for place in range(width)]
    wanted = [names[place] for place in places]
    with opener() as raw:
        return pa.csv.open_csv(
            raw,
            pa.csv.ReadOptions(
                use_threads=False, block_size=BLOCK, encoding=encoding, column_names=names,
                skip_rows_after_names=skipped,
            ),
            pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            pa.csv.ConvertOptions(
                include_columns=wanted, column_types=dict.fromkeys(wanted, pa.dictionary(pa.int32(), pa.string())),
                strings_can_be_null=False,
            ),
        ).read_all()  # fmt: skip


def _delimiter(lines: Sequence[str]) -> str:
    """The sign that cuts the top of a file into most columns, as many in most rows."""

    def columns(sign: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in islice(csv.reader(lines, delimiter=sign), _TITLES) if row]
        except csv.Error:
            return (0, 0)
        usual = max(widths, key=lambda width: (widths.count(width), width), default=0)
        return (widths.count(usual) if usual > 1 else 0, usual)

    return max(DELIMITERS, key=columns)


def _encoding(path: Path, opener: Opener, head: bytes) -> str:
    """The encoding of a whole file: UTF-8, UTF-16, or cp1252 where UTF-8 fits almost none of its accents."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros = head[0::2].count(0), head[1::2].count(0)
    if max(zeros) > 0.2 * len(head):
        if min(zeros) > 0.1 * max(zeros):
            raise refused(path, "a table; this one holds bytes that are no text")
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
    there = lines = accents = first = 0
    broken = ""
    with opener() as raw:
        for chunk in iter(partial(raw.read, 1 << 16), b""):
            there += len(chunk)
            _check_bytes(path, there)
            if b"\x00" in chunk:
                raise refused(path, "a table; this one holds bytes that are no text")
            text = decoder.decode(chunk)
            if not text.isascii():
                accents += len(text) - len(text.encode("ascii", "ignore"))
                try:
                    text.encode()
                except UnicodeEncodeError as problem:
                    first = first or lines + text.count("\n", 0, problem.start) + 1
                    broken += "".join(_BROKEN.findall(text))
            lines += text.count("\n")
    broken += decoder.decode(b"", final=True)  # a letter that is cut in two at the end
    if not broken:
        return "utf-8-sig"
    if set(broken) & _CP1252_GAPS or accents > 3 * len(broken):
        raise refused(
            path,
            f"text in UTF-8, UTF-16 or cp1252; line {first or lines} is in another encoding: save it as UTF-8",
        )
    return "cp1252"


# --- Excel, Parquet, JSON -----------------------------------------------------------------------------------


def _cell(value: Any) -> str:
    """A cell as text: dates as ISO, whole numbers without a point, nothing for what is missing."""
    if value is None or value != value:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _sheets(path: Path, opener: Opener) -> list[tuple[str, Records]]:
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise refused(path, 'the extra "excel": pip install "lull-sim[excel]", or a CSV file') from None
    held = _held(path, opener)
    with zipfile.ZipFile(held) as archive:
        _check_bytes(path, sum(one.file_size for one in archive.infolist()))
        if "xl/workbook.xml" not in archive.namelist():
            raise refused(path, "a table; this is an Office document without sheets: save the table as CSV")
    book = load_workbook(held, read_only=True, data_only=True)
    return [(f"Excel (sheet {sheet.title})", partial(_sheet_records, sheet)) for sheet in book.worksheets]


def _sheet_records(sheet: Any) -> Iterator[list[str]]:
    sheet.reset_dimensions()  # what programs say of them is not always true
    width = 0
    for row in sheet.iter_rows(values_only=True):
        cells = [_cell(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        width = max(width, len(cells))
        yield cells + [""] * (width - len(cells))


def _parquet_records(source: Any) -> Iterator[list[str]]:
    with pa.parquet.ParquetFile(source) as file:
        yield list(file.schema_arrow.names)
        for batch in file.iter_batches(_TITLES):
            columns = [map(_cell, column.to_pylist()) for column in batch.columns]
            yield from map(list, zip(*columns, strict=True))


def _parquet_columns(source: Any, _: int, skipped: int, places: list[int]) -> pa.Table:
    with pa.parquet.ParquetFile(source) as file:
        names = file.schema_arrow.names
        return file.read([names[place] for place in places]).slice(skipped - 1)


def _json_records(path: Path, held: io.BytesIO) -> Records:
    """The records of ACLED's or UCDP's interface, or of a list of records."""
    try:
        rows = content = json.load(held)
    except json.JSONDecodeError:  # one record in each line
        rows = content = list(map(json.loads, held.getvalue().splitlines()))
    if isinstance(content, dict):
        rows = content.get("data") or content.get("Result")
        whole = content.get("total_count") or content.get("TotalCount") or 0
        if isinstance(rows, list) and int(whole) > len(rows):
            raise refused(path, f"all events; this page has {len(rows):,} of {int(whole):,}: put all pages into a list")
        problem = content.get("error") or content.get("message")
        if not rows and problem:
            said = problem.get("message", problem) if isinstance(problem, dict) else problem
            raise refused(path, f"an answer with data; this one is an error ({said})")
    if not isinstance(rows, list) or not rows or not all(isinstance(one, dict) for one in rows):
        raise refused(path, "JSON with a list of records, alone or under `data` as ACLED has it; save the table as CSV")
    header = list(dict.fromkeys(key for one in rows for key in one))
    return lambda: iter([header, *([_cell(one.get(key)) for key in header] for one in rows)])
