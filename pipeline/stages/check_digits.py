"""Numbers that prove themselves: payment cards, bank accounts and national ids by their check digits.

Each takes the number without separators. What stands here never changes by itself: whether a row is
refused may hang on it.
"""

from __future__ import annotations

import re

# Issuers by ISO/IEC 7812: first digits and lengths of the numbers that they give out.
_CARDS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[689]\d)\d{11}|62\d{14,17}"
)
# Lengths of ISO 13616 accounts by country.
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27,
    "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24,
    "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24, "TR": 26, "UA": 29, "VA": 22,
    "VG": 24, "XK": 20,
}  # fmt: skip
_VERHOEFF_PRODUCT = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_PLACES = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def is_card_number(number: str) -> bool:
    """Luhn's check digit (ISO/IEC 7812-1), and an issuer that gives out such numbers."""
    return _CARDS.fullmatch(number) is not None and passes_luhn(number)


def passes_luhn(number: str) -> bool:
    doubled = (int(digit) * 2 for digit in number[-2::-2])
    return (sum(map(int, number[-1::-2])) + sum(value - 9 * (value > 9) for value in doubled)) % 10 == 0


def is_iban(account: str) -> bool:
    """ISO 13616: the country's length, and 1 modulo 97."""
    if len(account) != _IBAN_LENGTHS.get(account[:2]):
        return False
    return int("".join(str(int(character, 36)) for character in account[4:] + account[:4])) % 97 == 1


def is_aadhaar(number: str) -> bool:
    """India: twelve digits, the first above 1, with Verhoeff's check digit, and no palindrome."""
    if len(number) != 12 or number[0] in "01" or number == number[::-1]:
        return False
    check = 0
    for place, digit in enumerate(reversed(number)):
        check = int(_VERHOEFF_PRODUCT[check][int(_VERHOEFF_PLACES[place % 8][int(digit)])])
    return check == 0


def is_ahv(number: str) -> bool:
    """Switzerland: 756 and ten digits, the last one the check digit of EAN-13."""
    weighted = sum(int(digit) * (1 + 2 * (place % 2)) for place, digit in enumerate(number[:12]))
    return number.startswith("756") and (10 - weighted % 10) % 10 == int(number[12])


def is_cpf(number: str) -> bool:
    """Brazil: nine digits and two check digits; a number of one digit alone is none."""
    if len(set(number)) == 1:
        return False
    for size in (9, 10):
        total = sum(int(digit) * (size + 1 - place) for place, digit in enumerate(number[:size]))
        if total * 10 % 11 % 10 != int(number[size]):
            return False
    return True


def is_chinese_id(number: str) -> bool:
    """China (GB 11643): region, date of birth, and a check character that may be X."""
    if not number[:17].isdigit() or not _is_date(number[6:10], number[10:12], number[12:14]):
        return False
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(number[:17]))
    return "10X98765432"[total % 11] == number[17].upper()


def is_nir(number: str) -> bool:
    """France: sex, year, month and place of birth, and 97 less the remainder modulo 97."""
    if len(number) != 15 or number[0] not in "12" or not 1 <= int(number[3:5]) <= 12:
        return False
    return 97 - int(number[:13]) % 97 == int(number[13:])


def is_pesel(number: str) -> bool:
    """Poland: a date of birth whose month names the century, and a weighted check digit."""
    month = int(number[2:4])
    century = {0: "19", 1: "20", 2: "21", 3: "22", 4: "18"}[month // 20]
    if not _is_date(century + number[:2], f"{month % 20:02}", number[4:6]):
        return False
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
    total = sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))
    return (10 - total % 10) % 10 == int(number[10])


def is_tax_id(number: str) -> bool:
    """Germany: one digit of the first ten stands there twice or three times, and ISO 7064's mod 11, 10."""
    counts = sorted(map(number[:10].count, set(number[:10])))
    if number[0] == "0" or counts[-1] not in (2, 3) or (len(counts) > 1 and counts[-2] > 1):
        return False
    check = 10
    for digit in number[:10]:
        check = (check + int(digit)) % 10 or 10
        check = check * 2 % 11
    return (11 - check) % 10 == int(number[10])


def is_dni(number: str) -> bool:
    """Spain: eight digits and the letter of their remainder modulo 23."""
    return number[:8].isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number[:8]) % 23] == number[8:]


def _is_date(year: str, month: str, day: str) -> bool:
    if not 1800 <= int(year) <= 2100 or not 1 <= int(month) <= 12:
        return False
    leap = int(year) % 4 == 0 and (int(year) % 100 != 0 or int(year) % 400 == 0)
    days = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return 1 <= int(day) <= days[int(month) - 1]
