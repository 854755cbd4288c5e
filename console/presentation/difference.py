"""A unified difference as lines: told by its signs, and by colour. Texts are made visible before."""

from __future__ import annotations

from collections.abc import Sequence

from console.presentation.spans import Line, Role, Span, cut, line, wrap_text


def difference_lines(difference: Sequence[str], width: int) -> list[Line]:
    """What changes is shown whole, on as many lines as it takes; what is around it is cut."""
    lines: list[Line] = []
    for text in difference:
        role = _role(text)
        if role in ("ok", "fail"):
            first, *rest = wrap_text(text, max(16, width - 3))
            lines.append(line(Span(f" {first}", role)))
            lines += [line(Span(f"   {part}", role)) for part in rest]
        else:
            lines.append(cut(line(Span(f" {text}".rstrip(), role)), width - 1))
    return lines


def is_difference(texts: Sequence[str]) -> bool:
    return any(text.startswith("@@ ") for text in texts)


def _role(text: str) -> Role:
    if text.startswith(("+++", "---", "@@")):
        return "accent"
    if text.startswith("+"):
        return "ok"
    if text.startswith("-"):
        return "fail"
    return "text" if not text.strip() or text.startswith(" ") else "dim"
