"""Personal data in texts: addresses of mail, phone numbers, payment cards, bank accounts, national ids.

Beside credentials, and by the same means: what has a form that can be checked. A name or a street has
none and is not found. Digits are looked at as shapes: one translation makes every digit a ``0``, one
pass finds the shapes of numbers, and only there the number is read and its check digits are worked out.
So a text without numbers and without ``@`` costs two passes in C.

The check digits are written out here because they decide whether a row exists: a library that learns
new ranges would move rows. ``tests/pipeline/stages/test_personal.py`` holds them to python-stdnum.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from pipeline.stages.check_digits import (
    is_aadhaar,
    is_ahv,
    is_card_number,
    is_chinese_id,
    is_cpf,
    is_dni,
    is_iban,
    is_nir,
    is_pesel,
    is_tax_id,
)

KINDS = ("email", "phone", "card_number", "bank_account", "national_id")
"""Permanent: what a refusal's detail and the counts of a run name. Their order is that of the bits."""

_DIGITS_AS_ZERO = bytes(48 if 48 <= byte <= 57 else byte for byte in range(256))
# What may stand right before a number for it to begin there, and right behind it.
_BEGINS = re.compile(rb"(?<![\w.+-])")
_ENDS = re.compile(rb"(?![\w-]|[.,][0-9])")

_DOMAIN = re.compile(rb"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+([A-Za-z]{2,24})(?![A-Za-z0-9-])")
_LOCAL_PART = re.compile(rb"[A-Za-z0-9._%+'-]{1,64}\Z")
# RFC 2606 and 6761: names that belong to nobody. The others are names of files: icon@2x.png
_NOBODYS = re.compile(
    rb"(?:.*\.)?(?:example(?:\.com|\.net|\.org)?|test|invalid|localhost|local)", re.IGNORECASE | re.DOTALL
)
_NO_DOMAINS = frozenset(b"png jpg jpeg gif svg webp js ts css py json md html txt sh yml yaml".split())
_NO_PERSONS = frozenset(b"git noreply no-reply donotreply do-not-reply postmaster mailer-daemon".split())

# Country calling codes as assigned by the ITU (E.164): one digit, or the first digits of longer ones.
_PHONE = re.compile(
    rb"\+(?:1|7|2(?:0|7|[1-689][0-9])|3(?:[0-469]|[578][0-9])|4(?:[013-9]|2[0-9])|5(?:[1-8]|[09][0-9])"
    rb"|6(?:[0-6]|[7-9][0-9])|8(?:[1246]|[057-9][0-9])|9(?:[0-58]|[679][0-9]))"
    rb"[ .-]?(?:\([0-9]{1,4}\)[ .-]?)?[0-9](?:[ .-]?[0-9]){5,13}"
)
_NORTH_AMERICAN = re.compile(rb"(?:\(([2-9][0-9]{2})\) ?|([2-9][0-9]{2})([.-]))[2-9][0-9]{2}[.-][0-9]{4}")
_SSN = re.compile(rb"(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}")
_CARD = re.compile(rb"[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5}")
_GROUPS_OF_FOUR = re.compile(rb"[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}")
_IBAN = re.compile(
    rb"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])"
)
# How every account number begins, where letters and digits are shapes: found in less time than the pattern.
_IBAN_SHAPE = b"AA00"
_LETTERS_AS_A = bytes(65 if 65 <= byte <= 90 else _DIGITS_AS_ZERO[byte] for byte in range(256))
_NIR = re.compile(rb"[12] [0-9]{2} [0-9]{2} [0-9]{2} [0-9]{3} [0-9]{3} [0-9]{2}")
_RUN = re.compile(rb"[0-9]+[Xx]?(?:-?[A-Z])?")
_NINO = re.compile(rb"(?<![A-Za-z0-9])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\Z")
_NINO_END = re.compile(rb" ?[A-D](?![A-Za-z0-9])")

Found = str | None


def _plain(data: bytes) -> str:
    return re.sub(rb"[ .-]", b"", data).decode()


def _stands_alone(data: bytes, match: re.Match[bytes] | None) -> bool:
    return (
        match is not None
        and _BEGINS.match(data, match.start()) is not None
        and _ENDS.match(data, match.end()) is not None
    )


def _email(data: bytes, at: int, end: int) -> Found:
    local, domain = _LOCAL_PART.search(data, max(0, at - 64), at), _DOMAIN.match(data, end)
    if local is None or domain is None or domain[1].lower() in _NO_DOMAINS:
        return None
    is_somebodys = local.group().lower() not in _NO_PERSONS and not _NOBODYS.fullmatch(domain.group())
    return "email" if is_somebodys else None


def _international(data: bytes, start: int, end: int) -> Found:
    match = _PHONE.match(data, start)
    if match is None or not _stands_alone(data, match):
        return None
    return "phone" if 9 <= sum(48 <= byte <= 57 for byte in match.group()) <= 15 else None


def _north_american(data: bytes, start: int, end: int) -> Found:
    match = _NORTH_AMERICAN.match(data, start)
    if match is None or _ENDS.match(data, match.end()) is None:
        return None
    before = data[max(0, start - 3) : start]
    has_prefix = re.search(rb"(?:^|[^\w.-])\+?1[ .-]\Z", before) is not None
    return "phone" if has_prefix or _BEGINS.match(data, start) else None


def _ssn(data: bytes, start: int, end: int) -> Found:
    return "national_id" if _stands_alone(data, _SSN.match(data, start)) else None


def _spelled(check: Callable[[str], bool]) -> Callable[[bytes, int, int], Found]:
    def found(data: bytes, start: int, end: int) -> Found:
        alone = _BEGINS.match(data, start) and _ENDS.match(data, end)
        return "national_id" if alone and check(_plain(data[start:end])) else None

    return found


def _french(data: bytes, start: int, end: int) -> Found:
    match = _NIR.match(data, start)
    is_one = match is not None and _stands_alone(data, match) and is_nir(_plain(match.group()))
    return "national_id" if is_one else None


def _groups(data: bytes, start: int, end: int) -> Found:
    card = _CARD.match(data, start)
    if card is not None and _stands_alone(data, card) and is_card_number(_plain(card.group())):
        return "card_number"
    groups = _GROUPS_OF_FOUR.match(data, start)
    if groups is not None and _stands_alone(data, groups) and is_aadhaar(_plain(groups.group())):
        return "national_id"
    return _bank_account(data, start, end)


def _bank_account(data: bytes, start: int, end: int) -> Found:
    begin, stop = max(0, start - 12), end + 40
    if _IBAN_SHAPE not in data[begin:stop].translate(_LETTERS_AS_A):
        return None
    for match in _IBAN.finditer(data, begin, stop):
        if is_iban(_plain(match.group())):
            return "bank_account"
    return None


# Which numbers without separators are checked, by their digits (and the letter behind them).
_RUNS: dict[int, tuple[tuple[str, Callable[[str], bool]], ...]] = {
    **dict.fromkeys((13, 14, 16, 17, 18, 19), (("card_number", is_card_number),)),
    11: (("national_id", is_pesel), ("national_id", is_tax_id)),
    15: (("card_number", is_card_number), ("national_id", is_nir)),
    18: (("card_number", is_card_number), ("national_id", is_chinese_id)),
}


def _run(data: bytes, start: int, end: int) -> Found:
    """A run of six digits or more."""
    match = _RUN.match(data, start)
    if match is None:
        return None
    if data[start - 1 : start].isalpha() or data[start - 1 : start] == b" ":
        is_nino = _NINO.search(data, max(0, start - 4), start) and _NINO_END.match(data, start + 6)
        if is_nino:
            return "national_id"
    if _stands_alone(data, match):
        text = match.group().decode().replace("-", "")
        if text[-1].isalpha():
            checks = {9: (is_dni,), 18: (is_chinese_id,)}.get(len(text), ())
            return "national_id" if any(check(text) for check in checks) else None
        for kind, check in _RUNS.get(len(text), ()):
            if check(text):
                return kind
    return _bank_account(data, start, match.end())


# Longer shapes first: of those that begin at one place the first one counts.
_SHAPES: tuple[tuple[bytes, Callable[[bytes, int, int], Found]], ...] = (
    (b"0 00 00 00 000 000 00", _french),
    (b"000.0000.0000.00", _spelled(is_ahv)),
    (b"000.000.000-00", _spelled(is_cpf)),
    (b"(000) 000-0000", _north_american),
    (b"(000)000-0000", _north_american),
    (b"000-000-0000", _north_american),
    (b"000.000.0000", _north_american),
    (b"000-00-0000", _ssn),
    (b"0000 000000 0000", _groups),
    (b"0000-000000-0000", _groups),
    (b"0000 0000", _groups),
    (b"0000-0000", _groups),
    (b"000000", _run),
    (b"+0", _international),
    (b"@", _email),
)
_find_shapes = BytesAhoCorasick(
    [shape for shape, _ in _SHAPES], matchkind=MatchKind.LeftmostFirst
).find_matches_as_indexes


def personal_in_bytes(data: bytes) -> int:
    """The kinds of personal data in a text's UTF-8, one bit a kind in the order of ``KINDS``."""
    found = done = 0
    for shape, start, end in _find_shapes(data.translate(_DIGITS_AS_ZERO)):
        if start < done:
            continue  # inside of a number that was looked at
        kind = _SHAPES[shape][1](data, start, end)
        if _SHAPES[shape][0] == b"000000":
            match = _RUN.match(data, start)
            done = match.end() if match else end
        if kind is not None:
            found |= 1 << KINDS.index(kind)
    return found


def kinds_of(bits: int) -> list[str]:
    """The names of the kinds in ``bits``."""
    return [kind for number, kind in enumerate(KINDS) if bits >> number & 1]
