"""What can go wrong, said so that a person can act on it.

Every error carries a stable code for programs, the offending value, and in Chinese and English what is wrong
and what to do next. Readers of files collect a `Problem` for each fault and raise one `InputError` with all
of them, so that nobody corrects a list one line at a time.

Codes are lower-case words joined by hyphens; once released, a code keeps its meaning.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]
Severity = Literal["error", "warning"]


class DualRandomError(Exception):
    """Base of all errors of this project.

    `code` is stable, `value` is the offending value as text (empty if there is none); `message` and `remedy`
    hold one text a language. Instances travel between processes: the constructor's arguments are the
    exception's `args`. Raises `KeyError` if a language is missing.

    >>> error = DualRandomError(
    ...     code="round-too-early",
    ...     value="7",
    ...     message={"zh": "轮次过早", "en": "the round is too early"},
    ...     remedy={"zh": "选择更晚的轮次", "en": "choose a later round"},
    ... )
    >>> error.message("en"), error.remedy("zh")
    ('the round is too early', '选择更晚的轮次')
    """

    def __init__(
        self, code: str, value: str, message: Mapping[Language, str], remedy: Mapping[Language, str]
    ) -> None:
        messages: dict[Language, str] = {"zh": message["zh"], "en": message["en"]}
        remedies: dict[Language, str] = {"zh": remedy["zh"], "en": remedy["en"]}
        super().__init__(code, value, messages, remedies)
        self.code = code
        self.value = value
        self.messages: Mapping[Language, str] = messages
        self.remedies: Mapping[Language, str] = remedies

    def message(self, language: Language) -> str:
        """Say what is wrong."""
        return self.messages[language]

    def remedy(self, language: Language) -> str:
        """Say what to do next."""
        return self.remedies[language]

    def __str__(self) -> str:
        value = f" ({self.value})" if self.value else ""
        return f"{self.code}{value}: {self.messages['zh']} / {self.messages['en']}"


class IntegrityError(DualRandomError):
    """Something was changed after it had been announced, or does not match its commitment."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of an input file, with the place where a person finds it.

    `row` counts as the spreadsheet program does, from 1 and with the header; `column` is the header's text,
    or the letter where there is no header. `None` means that the fault belongs to the whole sheet or file.
    An "error" prevents the file from being stored, a "warning" does not. `suggestion` is a value that would
    be accepted, if one is evident; it is never applied by itself.
    """

    code: str
    file: str
    sheet: str | None
    row: int | None
    column: str | None
    value: str
    message_zh: str
    message_en: str
    remedy_zh: str
    remedy_en: str
    severity: Severity = "error"
    suggestion: str | None = None

    def message(self, language: Language) -> str:
        """Say what is wrong."""
        return self.message_zh if language == "zh" else self.message_en

    def remedy(self, language: Language) -> str:
        """Say what to do next."""
        return self.remedy_zh if language == "zh" else self.remedy_en

    def place(self, language: Language) -> str:
        """Name file, sheet, row and column, as far as they are known.

        >>> problem = Problem("no-name", "a.xlsx", "企业", 3, "名称", "", "缺名称", "no name", "补", "add it")
        >>> problem.place("zh")
        'a.xlsx · 工作表“企业” · 第 3 行 · “名称”列'
        """
        zh = language == "zh"
        parts = [self.file]
        if self.sheet is not None:
            parts.append(f"工作表“{self.sheet}”" if zh else f'sheet "{self.sheet}"')
        if self.row is not None:
            parts.append(f"第 {self.row} 行" if zh else f"row {self.row}")
        if self.column is not None:
            parts.append(f"“{self.column}”列" if zh else f'column "{self.column}"')
        return " · ".join(parts)


class InputError(DualRandomError):
    """Files that cannot be accepted; `problems` holds every fault found in them, warnings included.

    Raises `ValueError` if none of the problems is an error: warnings alone do not refuse a file.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = sum(problem.severity == "error" for problem in self.problems)
        if not count:
            raise ValueError("an InputError needs at least one problem of severity 'error'")
        super().__init__(
            "input-refused",
            str(count),
            {
                "zh": f"输入文件有 {count} 处错误，没有写入任何文件",
                "en": f"the input has {count} error{'s' if count > 1 else ''}; nothing was written",
            },
            {
                "zh": "按所列位置逐条更正后，重新运行同一命令",
                "en": "correct the places listed, then run it again",
            },
        )
        self.args = (self.problems,)

    def __str__(self) -> str:
        lines = [super().__str__()]
        lines += [
            f"  {problem.severity} {problem.code} · {problem.place('en')} · {problem.value!r}: "
            f"{problem.message_zh} / {problem.message_en}"
            for problem in self.problems
        ]
        return "\n".join(lines)
