"""What a scan found, in words: rows, files and findings are different numbers and different words."""

from __future__ import annotations


def found_in_words(rows: int, files: int, findings: int) -> str:
    """``2 forbidden rows and 1 forbidden file (5 findings)``; of one finding each, ``2 forbidden rows``.

    ``files`` are those that a finding concerns as a whole. An alarm whose counts were lost is never none.
    """
    offenders = " and ".join(
        f"{number:,} forbidden {noun}{'' if number == 1 else 's'}"
        for number, noun in ((rows, "row"), (files, "file"))
        if number
    )
    counted = f"{findings:,} finding{'' if findings == 1 else 's'}"
    if offenders:
        return offenders if findings == rows + files else f"{offenders} ({counted})"
    return counted if findings else "forbidden rows that were not counted"
