"""Which attempts of one task make a preference pair. Facts in, pairs out; no text is held here.

The rule, in the words of ``docs/exports.md``:

1. An answer that was approved in one run and rejected in another that was asked the same, or that
   has two ranks, stands on neither side (``conflicting_verdict``). Of runs with one and the same
   prompt and answer the best stays, the others are ``duplicate_sample``.
2. Best first, each run takes as its counterpart the worst run that ranks lower, shares its
   prompt and is still free. A run stands in one pair at most.
3. In a task of which no run was accepted a pair would prefer one failure to another: its runs are
   ``none_passed``.
4. Where only the first turn of each side is written, two pairs of one prompt may come to hold the
   same two turns. The same way round the first stays and the other is ``duplicate_sample``; the
   other way round all of them are ``conflicting_verdict``.
5. Of these pairs the widest come first: difference of rank, then of score. The cap keeps so many;
   the runs of the others are ``pair_cap``.

Every order in which runs may arrive gives the same pairs, because all runs are sorted first.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from pipeline.stages.refusals import QuarantineReason
from pipeline.stages.scoring_rules import RANK
from pipeline.stages.text_keys import ASSISTANT_TURN, TURN_KEY_BYTES


@dataclass(frozen=True, slots=True)
class PairOptions:
    max_pairs_per_task: int = 4
    completion: Literal["first_turn", "turns"] = "turns"
    max_length_gap: int | None = None


class PairReason(StrEnum):
    """Why the chosen run ranks higher. Permanent; written into each pair."""

    ACCEPTED_OVER_PARTIALLY_ACCEPTED = "accepted_over_partially_accepted"
    ACCEPTED_OVER_REJECTED = "accepted_over_rejected"
    PARTIALLY_ACCEPTED_OVER_REJECTED = "partially_accepted_over_rejected"


class PreferenceCandidate(NamedTuple):
    """One run as pairing sees it. ``turn_keys`` is None for a flat run (see ``text_keys``).

    ``prompt_key`` is that of a flat run's whole prompt, and of what a conversation was offered
    as tools.
    ``loose_response_key`` is empty for an answer that compares strictly only; ``task_question_key`` is
    shared by the runs of a task that were asked the same.
    """

    run_id: str
    task_key: bytes
    category: str
    score: float
    response_key: bytes
    prompt_key: bytes
    turn_keys: bytes | None
    loose_response_key: bytes = b""
    task_question_key: bytes = b""
    tokens: int = 0
    choose_refusal: QuarantineReason | None = None
    """Why the run may be the worse side of a pair only, or None."""

    @property
    def rank(self) -> int:
        return RANK[self.category]

    @property
    def answers_to(self) -> set[tuple[bytes, bytes]]:
        """What was asked with the answer, once for each level on which answers are compared."""
        levels = {self.response_key, self.loose_response_key} - {b""}
        return {(self.task_question_key, answer) for answer in levels}


class Pair(NamedTuple):
    chosen_run_id: str
    rejected_run_id: str
    reason: PairReason


class Unused(NamedTuple):
    run_id: str
    reason: QuarantineReason


def pair_reason(chosen_category: str, rejected_category: str) -> PairReason:
    """Raises ValueError when the chosen category does not outrank the other."""
    return PairReason(f"{chosen_category}_over_{rejected_category}")


def shared_messages(one: bytes, other: bytes) -> int | None:
    """How many messages two conversations share, if from there on both answer differently.

    None when they part at a user's or a tool's turn, or when one is the start of the other:
    then the difference is not one that the model chose.
    """
    for start in range(0, min(len(one), len(other)), TURN_KEY_BYTES):
        end = start + TURN_KEY_BYTES
        if one[start:end] != other[start:end]:
            both_answer = one[start] == ASSISTANT_TURN and other[start] == ASSISTANT_TURN
            return start // TURN_KEY_BYTES if both_answer and start else None
    return None


def choose_pairs(
    candidates: Sequence[PreferenceCandidate],
    options: PairOptions,
    conflicting: Container[str],
    *,
    some_passed: bool = True,
) -> tuple[list[Pair], list[Unused]]:
    """The pairs of one task, widest first, and the reason why each other run is in none.

    All ``candidates`` are attempts of one task; ``conflicting`` holds the ids of runs
    whose answer has both verdicts anywhere; ``some_passed`` says whether any run of the task was accepted, be
    it a candidate or not. Each run is in exactly one pair or one ``Unused``.
    """
    unused: list[Unused] = []
    free = _without_conflicts_and_duplicates(candidates, conflicting, unused)
    ranks = {run.rank for run in free}
    made: list[tuple[PreferenceCandidate, PreferenceCandidate]] = []
    for group in _prompt_groups(free):
        pairs = _pairs_of_group(group, options)
        made += pairs
        paired = {run.run_id for pair in pairs for run in pair}
        unused += (
            Unused(run.run_id, _why_alone(run, group, ranks, options))
            for run in group
            if run.run_id not in paired
        )
    made.sort(key=_widest_first)
    if not some_passed:
        unused += (Unused(run.run_id, QuarantineReason.NONE_PASSED) for pair in made for run in pair)
        made = []
    if options.completion == "first_turn":
        made = _with_first_turns_of_their_own(made, unused)
    for pair in made[options.max_pairs_per_task :]:
        unused += (Unused(run.run_id, QuarantineReason.PAIR_CAP) for run in pair)
    unused.sort()
    return [
        Pair(chosen.run_id, rejected.run_id, pair_reason(chosen.category, rejected.category))
        for chosen, rejected in made[: options.max_pairs_per_task]
    ], unused


def _with_first_turns_of_their_own(
    pairs: list[tuple[PreferenceCandidate, PreferenceCandidate]], unused: list[Unused]
) -> list[tuple[PreferenceCandidate, PreferenceCandidate]]:
    """The pairs whose prompt and two first turns no other pair holds. Flat pairs are what they were."""
    keys = {pair: _first_turns(*pair) for pair in pairs}
    ways = set(keys.values())
    kept = []
    seen: set[tuple[bytes, ...]] = set()
    for pair in pairs:
        *prompt, better, worse = keys[pair]
        reason = None
        if (*prompt, worse, better) in ways:
            reason = QuarantineReason.CONFLICTING_VERDICT
        elif keys[pair] in seen:
            reason = QuarantineReason.DUPLICATE_SAMPLE
        if reason is None:
            seen.add(keys[pair])
            kept.append(pair)
        else:
            unused += (Unused(run.run_id, reason) for run in pair)
    return kept


def _first_turns(chosen: PreferenceCandidate, rejected: PreferenceCandidate) -> tuple[bytes, ...]:
    """Tools, shared turns and the first turn of each side, as keys; of flat runs prompt and answers."""
    shared = shared_messages(chosen.turn_keys or b"", rejected.turn_keys or b"")
    if shared is None or chosen.turn_keys is None or rejected.turn_keys is None:
        return (chosen.prompt_key, b"", chosen.response_key, rejected.response_key)
    start, end = shared * TURN_KEY_BYTES, (shared + 1) * TURN_KEY_BYTES
    better, worse = chosen.turn_keys[start:end], rejected.turn_keys[start:end]
    return (chosen.prompt_key, chosen.turn_keys[:start], better, worse)


def _best_first(run: PreferenceCandidate) -> tuple[int, float, str]:
    return (-run.rank, -run.score, run.run_id)


def _widest_first(pair: tuple[PreferenceCandidate, PreferenceCandidate]) -> tuple[int, float, str]:
    chosen, rejected = pair
    return (rejected.rank - chosen.rank, rejected.score - chosen.score, chosen.run_id)


def _without_conflicts_and_duplicates(
    candidates: Sequence[PreferenceCandidate], conflicting: Container[str], unused: list[Unused]
) -> list[PreferenceCandidate]:
    """The runs that may be paired, best first, each with an answer of its own."""
    ranks: dict[tuple[bytes, bytes], set[int]] = {}
    for run in candidates:
        for answer in run.answers_to:
            ranks.setdefault(answer, set()).add(run.rank)
    free = []
    seen: set[tuple[bytes, bytes, bytes]] = set()
    for run in sorted(candidates, key=_best_first):
        text = (run.response_key, run.prompt_key, _opening(run.turn_keys or b""))
        if run.run_id in conflicting or any(len(ranks[answer]) > 1 for answer in run.answers_to):
            unused.append(Unused(run.run_id, QuarantineReason.CONFLICTING_VERDICT))
        elif text in seen:
            unused.append(Unused(run.run_id, QuarantineReason.DUPLICATE_SAMPLE))
        else:
            seen.add(text)
            free.append(run)
    return free


def _prompt_groups(runs: Iterable[PreferenceCandidate]) -> list[list[PreferenceCandidate]]:
    """Runs that may share a prompt, together: equal flat prompts, equal openings of conversations."""
    groups: dict[tuple[bytes, bytes], list[PreferenceCandidate]] = {}
    for run in runs:
        opening = _opening(run.turn_keys) if run.turn_keys else b""
        groups.setdefault((opening, run.prompt_key), []).append(run)
    return list(groups.values())


def _opening(turn_keys: bytes) -> bytes:
    """The keys of all messages before the first assistant turn."""
    for start in range(0, len(turn_keys), TURN_KEY_BYTES):
        if turn_keys[start] == ASSISTANT_TURN:
            return turn_keys[:start]
    return turn_keys


def _pairs_of_group(
    group: list[PreferenceCandidate], options: PairOptions
) -> list[tuple[PreferenceCandidate, PreferenceCandidate]]:
    """Best first, each run with the worst free run that ranks lower and shares its prompt."""
    pairs = []
    taken: set[str] = set()
    for chosen in group:
        if chosen.run_id in taken or chosen.choose_refusal is not None:
            continue
        for rejected in reversed(group):
            if rejected.rank >= chosen.rank:
                break
            if (
                rejected.run_id not in taken
                and _share_prompt(chosen, rejected)
                and _near_enough(chosen, rejected, options)
            ):
                taken |= {chosen.run_id, rejected.run_id}
                pairs.append((chosen, rejected))
                break
    return pairs


def _share_prompt(one: PreferenceCandidate, other: PreferenceCandidate) -> bool:
    """Of two runs in one group."""
    if one.turn_keys and other.turn_keys:
        return shared_messages(one.turn_keys, other.turn_keys) is not None
    return True


def _near_enough(one: PreferenceCandidate, other: PreferenceCandidate, options: PairOptions) -> bool:
    """Whether the sides are of about the same length. The prompt is the same, so that it does not count.

    First turns of conversations are measured when the row is made: no length is known here but the whole.
    """
    if options.max_length_gap is None or (options.completion == "first_turn" and one.turn_keys):
        return True
    return abs(one.tokens - other.tokens) <= options.max_length_gap


def _why_alone(
    run: PreferenceCandidate, group: list[PreferenceCandidate], ranks: set[int], options: PairOptions
) -> QuarantineReason:
    """Nobody of another rank; or only under other prompts; or a limit is between; or all are in pairs."""
    if ranks == {run.rank}:
        return QuarantineReason.NO_COUNTERPART
    others = [other for other in group if other.rank != run.rank and _share_prompt(run, other)]
    if not others:
        return QuarantineReason.PROMPT_DIFFERS
    near = [other for other in others if _near_enough(run, other, options)]
    if not near:
        return QuarantineReason.LENGTH_GAP
    if all(other.rank < run.rank for other in near) and run.choose_refusal is not None:
        return run.choose_refusal
    return QuarantineReason.NO_COUNTERPART
