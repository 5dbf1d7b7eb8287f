"""What can go wrong, in the domain's terms. The edge (registry/problems.py) says which HTTP status it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from workflows.text import Text


@dataclass(frozen=True)
class FieldError:
    """One field, what is wrong with it, and what to do."""

    field: str
    code: str
    text: Text


@dataclass
class DomainError(Exception):
    """Base. `code` is stable and documented; the text never holds personal data."""

    text: Text
    code: str = "error"
    errors: tuple[FieldError, ...] = field(default=())

    def __str__(self) -> str:
        return f"{self.code}: {self.text.en}"


@dataclass
class Unauthenticated(DomainError):
    code: str = "unauthenticated"


@dataclass
class Forbidden(DomainError):
    """Your role can never do this. What you may not see is `NotFound`."""

    code: str = "forbidden"


@dataclass
class NotFound(DomainError):
    """Not there, or not yours to see."""

    text: Text = Text("没有找到，或您无权查看。", "Not found, or not yours to see.")
    code: str = "not_found"


@dataclass
class Stale(DomainError):
    text: Text = Text("内容已被更新，请刷新后重试。", "It has changed since you read it; read it again and repeat.")
    code: str = "stale"


@dataclass
class Refusal(DomainError):
    """The act does not fit the state, the actor or the findings."""

    code: str = "refused"


@dataclass
class Conflict(DomainError):
    code: str = "conflict"


@dataclass
class Invalid(DomainError):
    """The payload; `errors` names each field."""

    text: Text = Text("提交的内容有误，请按各字段的说明更正。", "The request has errors; correct the fields listed.")
    code: str = "invalid"


@dataclass
class TooLarge(DomainError):
    code: str = "too_large"


@dataclass
class TooMany(DomainError):
    code: str = "too_many_requests"
    retry_after: int = 60


@dataclass
class Unavailable(DomainError):
    code: str = "unavailable"
    retry_after: int = 5
