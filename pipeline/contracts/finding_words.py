"""What a scan found and looked for, in words.

Rows, files and findings are different numbers and different words. What was not looked for is never clear.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.contracts.plurals import plural

EVALUATION = "evaluation"
CHECKED = "checked"
NOT_CHECKED = "not_checked"  # no set is declared, or the look does not come to them
NOT_EVALUATED = "not_evaluated"
# A watcher that has only begun: nothing is known yet, and nothing is in its way.
FIRST_READING = "first reading"


def found_in_words(rows: int, files: int, findings: int) -> str:
    """``2 forbidden rows and 1 forbidden file (5 findings)``; of one finding each, ``2 forbidden rows``.

    ``files`` are those that a finding concerns as a whole. An alarm whose counts were lost is never none.
    """
    offenders = " and ".join(
        plural(number, f"forbidden {noun}") for number, noun in ((rows, "row"), (files, "file")) if number
    )
    counted = plural(findings, "finding")
    if offenders:
        return offenders if findings == rows + files else f"{offenders} ({counted})"
    return counted if findings else "forbidden rows that were not counted"


def evaluation_in_words(
    evaluation: str, sets: int | None, refused: int | None, not_evaluated: Mapping[str, str]
) -> str:
    """``evaluation sets: checked (2 sets, 1 row quarantined)``; empty when nothing was said of them.

    ``sets`` is 0 where none is declared; ``refused`` are the rows that the exporter kept out of the
    exports because of them. ``not_evaluated`` has for each wall why it could not look.
    """
    if evaluation == CHECKED:
        facts = [
            plural(number, noun, after)
            for number, noun, after in ((sets, "set", ""), (refused, "row", "quarantined"))
            if number is not None
        ]
        return "evaluation sets: checked" + (f" ({', '.join(facts)})" if facts else "")
    if evaluation == NOT_CHECKED:
        return "evaluation sets: not checked" + (", none is declared" if sets == 0 else "")
    if evaluation == NOT_EVALUATED:
        return f"evaluation sets: not evaluated: {not_evaluated.get(EVALUATION) or 'no reason is given'}"
    return ""


def walls_in_words(
    evaluation: str, sets: int | None, refused: int | None, not_evaluated: Mapping[str, str]
) -> tuple[str, ...]:
    """One line on the evaluation sets and one on each other wall that could not be evaluated."""
    others = (f"{wall}: not evaluated: {why}" for wall, why in not_evaluated.items() if wall != EVALUATION)
    return tuple(filter(None, (evaluation_in_words(evaluation, sets, refused, not_evaluated), *others)))
