"""HTML as values that cannot forget to escape.

Text becomes :class:`Html` only through :func:`tag` and :func:`join`, which escape every plain string. Both
languages stand on the same page; style and two radio buttons show one of them, so a page needs no script and
works from a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

VOID_TAGS = frozenset({"br", "col", "hr", "input", "link", "meta", "rect", "line", "circle"})
"""Elements written without content. The SVG ones are closed explicitly, as XML wants them."""

_SVG_SHAPES = frozenset({"rect", "line", "circle"})


class Html(str):
    """Markup that is already escaped."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Both:
    """The same words in Chinese and English: plain text, or markup where a part of it is marked up."""

    zh: str
    en: str


Child = str | Html | Both | int | None


def render(child: Child) -> str:
    """Return the escaped markup of one child. A :class:`Both` with equal texts is written once."""
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, Both):
        if child.zh == child.en:
            return _text(child.zh)
        return f'<span lang="zh">{_text(child.zh)}</span><span lang="en">{_text(child.en)}</span>'
    return _text(str(child))


def _text(value: str) -> str:
    return value if isinstance(value, Html) else escape(_printable(value))


def _printable(value: str) -> str:
    """Drop what is not allowed in HTML at all: a name from a library may hold control characters."""
    if value.isprintable():
        return value
    return "".join(" " if c != "\n" and (c < " " or "\x7f" <= c <= "\x9f") else c for c in value)


def join(*children: Child) -> Html:
    """Return the children one after the other, escaped."""
    return Html("".join(map(render, children)))


def tag(tag_name: str, *children: Child, **attributes: str | int | bool | None) -> Html:
    """Return one element.

    ``class_`` and ``for_`` lose their underscore, inner underscores become hyphens. ``True`` writes the bare
    attribute; ``None`` and ``False`` leave it out.
    """
    words = [tag_name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        attribute = key.rstrip("_").replace("_", "-")
        words.append(attribute if value is True else f'{attribute}="{escape(_printable(str(value)))}"')
    opening = " ".join(words)
    if tag_name in VOID_TAGS:
        return Html(f"<{opening}/>" if tag_name in _SVG_SHAPES else f"<{opening}>")
    return Html(f"<{opening}>{''.join(map(render, children))}</{tag_name}>")


def paragraph(zh: str, en: str, class_: str | None = None) -> Html:
    """Return one paragraph in each language."""
    return join(tag("p", zh, lang="zh", class_=class_), tag("p", en, lang="en", class_=class_))


def code(text: str) -> Html:
    """Return text as code: an id, a digest, a file name."""
    return tag("code", text)


def sentence(pattern: str, /, **parts: Child) -> Html:
    """Fill ``{names}`` of a fixed pattern with escaped parts, for markup within a sentence."""
    return Html(escape(pattern, quote=False).format(**{name: render(part) for name, part in parts.items()}))


def bullets(items: Iterable[Child], class_: str | None = None) -> Html:
    """Return an unordered list."""
    return tag("ul", *(tag("li", item) for item in items), class_=class_)


def table(
    headings: Iterable[Child], rows: Iterable[Html], caption: Child = None, class_: str | None = None
) -> Html:
    """Return a table in a box that scrolls sideways on a small screen. ``rows`` are ``<tr>`` elements."""
    head = tag("thead", tag("tr", *(tag("th", heading, scope="col") for heading in headings)))
    title = None if caption is None else tag("caption", caption)
    return tag("div", tag("table", title, head, tag("tbody", *rows)), class_=f"box {class_ or ''}".strip())


def row(head: Child, *cells: Child, numbers: bool = False) -> Html:
    """Return a table row whose first cell is its heading; ``numbers`` aligns the others as figures."""
    kind = "n" if numbers else None
    return tag("tr", tag("th", head, scope="row"), *(tag("td", cell, class_=kind) for cell in cells))


def page(title: Both, language: str, style: str, policy: str, body: Html) -> bytes:
    """Return a document that shows ``language`` (zh or en) first, under the content security ``policy``."""
    chinese = language == "zh"
    switch = join(
        tag(
            "input",
            type="radio",
            name="language",
            id="show-zh",
            checked=chinese,
            class_="language",
            aria_label="中文",
        ),
        tag(
            "input",
            type="radio",
            name="language",
            id="show-en",
            checked=not chinese,
            class_="language",
            aria_label="English",
        ),
    )
    labels = tag(
        "div",
        tag("label", "中文", for_="show-zh", lang="zh-CN"),
        tag("label", "English", for_="show-en", lang="en-GB"),
        class_="switch",
    )
    head = join(
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title.zh} · {title.en}" if chinese else f"{title.en} · {title.zh}"),
        tag("style", Html(style)),
    )
    document = tag(
        "html",
        tag("head", head),
        tag("body", switch, tag("div", labels, body, class_="page")),
        lang="zh-CN" if chinese else "en",
    )
    return f"<!DOCTYPE html>\n{document}\n".encode()
