"""What clients may send wherever it stands: ids, names, addresses, days and instants, and the form of a body."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from dualrandom_api.service.settings import MAILBOX

Identifier = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$", examples=["amr"])]
Mailbox = Annotated[str, Field(max_length=254, pattern=MAILBOX, examples=["zhang.wei@amr.example"])]


def _fault(zh: str, en: str) -> PydanticCustomError:
    """Return a fault of a value, which is told in both languages."""
    return PydanticCustomError("refused", "{en}", {"zh": zh, "en": en})


def _shown_as_it_is(name: str) -> str:
    """Refuse what is not seen, or turns around what is, in lists, mails and the printed notice."""
    if not all(character.isprintable() or character == "\u3000" for character in name):
        raise _fault("名称中有不显示的字符", "a name has characters that do not show")
    return name


Name = Annotated[str, Field(min_length=1, max_length=100, examples=["张伟"]), AfterValidator(_shown_as_it_is)]

YEARS: Final = range(2000, 3000)
"""Of days and instants that clients send: at the ends of the calendar there is neither a day before or after nor another time zone."""

Moment = TypeVar("Moment", date, datetime)


def _in_years(moment: Moment) -> Moment:
    if moment.year not in YEARS:
        first, last = YEARS[0], YEARS[-1]
        raise _fault(f"年份须在 {first} 至 {last} 之间", f"not in the years {first} to {last}")
    return moment


GivenDay = Annotated[date, AfterValidator(_in_years)]
GivenInstant = Annotated[AwareDatetime, AfterValidator(_in_years)]


class Body(BaseModel):
    """What a client sends: nothing but the members named, and no text that a database cannot keep."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_nul(cls, values: Any) -> Any:
        """Refuse NUL in every text; what is inside of a document has rules of its own (``text-invalid``)."""
        if isinstance(values, dict) and any(map(_has_nul, values.values())):
            raise _fault("文字中有空字符（NUL）", "a text has NUL")
        return values


def _has_nul(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\0" in value
