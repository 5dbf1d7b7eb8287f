"""A multipart upload taken as it comes: counted, hashed and sealed part by part, never held in memory or on disk in the clear."""

from __future__ import annotations

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from registry.errors import FieldError, Invalid, TooLarge
from registry.rosters.spool import PART, Spool
from workflows.text import Text

_FIELD_LONGEST = 16 * 1024
_FORM = Text("请以 multipart/form-data 上传。", "Send the upload as multipart/form-data.")
_BROKEN = Text("上传中断或格式有误，请重新上传。", "The upload broke off or is malformed; send it again.")
_TOO_LARGE = Text(
    "文件超过 {most} MiB 的上限，请拆分后分别上传。",
    "The file is larger than {most} MiB; split it and upload the parts.",
)
_TWICE = Text("每项只能出现一次。", "Give each field once.")
_LONG = Text("该项内容过长。", "This field is too long.")


@dataclass
class Upload:
    """What came in: plain fields, and the file in the spool."""

    fields: dict[str, str] = field(default_factory=dict)
    file_name: str | None = None
    sha256: str = ""


@dataclass
class _Part:
    name: str = ""
    file_name: str | None = None
    held: bytearray = field(default_factory=bytearray)


class _Reader:
    """The parser's callbacks: fields into `upload`, the file's bytes into `pending` until they are taken away."""

    def __init__(self, upload: Upload) -> None:
        self.upload, self.pending = upload, bytearray()
        self.ended = False
        self._part, self._header, self._value = _Part(), bytearray(), bytearray()

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._part = _Part()

    def _header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            self._part.name = options.get(b"name", b"").decode("utf-8", "replace")
            if b"filename" in options:
                self._part.file_name = options[b"filename"].decode("utf-8", "replace")
                if self.upload.file_name is not None or self._part.name != "file":
                    raise Invalid(errors=(FieldError(self._part.name or "file", "repeated", _TWICE),))
                self.upload.file_name = self._part.file_name
        self._header.clear()
        self._value.clear()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part.file_name is not None:
            self.pending += data[start:end]
            return
        self._part.held += data[start:end]
        if len(self._part.held) > _FIELD_LONGEST:
            raise Invalid(errors=(FieldError(self._part.name[:60], "too_long", _LONG),))

    def _end(self) -> None:
        if self._part.file_name is None:
            if self._part.name in self.upload.fields:
                raise Invalid(errors=(FieldError(self._part.name[:60], "repeated", _TWICE),))
            self.upload.fields[self._part.name] = self._part.held.decode("utf-8", "replace")

    def _finish(self) -> None:
        self.ended = True


async def receive(request: Request, spool: Spool, most: int) -> Upload:
    """Take the body into the spool. Raises `Invalid` (not a form, broken off) and `TooLarge`; the caller abandons then."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise Invalid(_FORM, errors=(FieldError("body", "content_type", _FORM),))
    upload = Upload()
    reader = _Reader(upload)
    try:
        parser = MultipartParser(options[b"boundary"], reader.callbacks())  # type: ignore[arg-type]
        async for chunk in request.stream():
            parser.write(chunk)
            if spool.size + len(reader.pending) > most:
                raise TooLarge(_TOO_LARGE.filled({"most": most >> 20}))
            if len(reader.pending) >= PART:
                await run_in_threadpool(spool.write, bytes(reader.pending))
                reader.pending.clear()
    except (FormParserError, ClientDisconnect) as error:
        raise _broken() from error
    if not reader.ended:
        raise _broken()
    await run_in_threadpool(spool.write, bytes(reader.pending))
    upload.sha256 = await run_in_threadpool(spool.finish)
    return upload


def _broken() -> Invalid:
    return Invalid(_BROKEN, errors=(FieldError("body", "broken", _BROKEN),))
