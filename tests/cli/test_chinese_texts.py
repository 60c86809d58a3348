"""Chinese texts are written with Chinese punctuation, wherever a person reads them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "dualrandom"
READ = sorted(
    [
        *(SOURCE / "campaign").glob("*.py"),
        *(SOURCE / "cli").glob("*.py"),
        *(SOURCE / "explain").glob("*.py"),
        *(
            SOURCE / f"{name}.py"
            for name in ("beacon", "ceremony", "contribution", "flags", "foresight", "frame")
        ),
        *(
            SOURCE / f"{name}.py"
            for name in ("keyring", "relay", "replacement", "scan", "seed", "substitution")
        ),
    ]
)
WIDE = "[\u4e00-\u9fff（）“”《》、。，；：]"
HALF_WIDTH = re.compile(
    rf"(?<={WIDE})[,;:!?](?![/\w])|(?<={WIDE})\s*\((?!\))|(?<=[^\s(])\)(?={WIDE})|[,;](?={WIDE})"
)


def chinese_texts(path: Path) -> Iterator[str]:
    """Yield every Chinese text of a module but its docstrings; what is filled in is an X. Help texts hold both languages."""
    tree = ast.parse(path.read_text("utf-8"))
    remarks = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = ""
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "X" for part in node.values)
            text = "".join(str(part) for part in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in remarks:
            text = node.value
        if re.search("[\u4e00-\u9fff]", text) and " · " not in text:
            yield text


@pytest.mark.parametrize("path", READ, ids=lambda path: str(path.relative_to(SOURCE)))
def test_chinese_texts_have_chinese_punctuation(path: Path) -> None:
    found = [text for text in chinese_texts(path) if HALF_WIDTH.search(text)]
    assert found == []


def test_half_width_punctuation_would_be_noticed() -> None:
    for wrong in ("恢复,再公告", "席位(两人)", "提高 caps,或", "结果：好;再来"):
        assert HALF_WIDTH.search(wrong), wrong
    for right in ("恢复，再公告", "席位（两人）", "运行 dualrandom keys new DIR", "X：Y", "比例 4/5 × 1"):
        assert not HALF_WIDTH.search(right), right
