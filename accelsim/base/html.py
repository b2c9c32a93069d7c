"""A table as a notebook shows it: no script, no style sheet, names of strangers escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def html_table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], detail: str = "") -> str:
    """A caption in bold, with its detail, above one row an item; all texts are escaped."""
    more = f": {escape(detail)}" if detail else ""
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return (
        f"<p><b>{escape(caption)}</b>{more}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
