"""Deliberately broken engines: one edit each, and the invariants that it must turn red.

A mutant is a copy of the ``pipeline`` package in which ``old`` became ``new``. Nearly all turn
exactly one invariant red. Where the nature of the fault forces a second one, ``why_more`` says why.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """``file`` is below ``pipeline/``. ``installed``: the fault is in the firewall, which always runs
    from the installation, so the mutant has to be the installation."""

    id: str
    file: str
    old: str
    new: str
    red: tuple[str, ...]
    why_more: str = ""
    installed: bool = False


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "keeps-a-note-in-the-home-directory",
        "engine/run_session.py",
        "    pipeline_run_id = new_run_id()\n",
        "    pipeline_run_id = new_run_id()\n"
        '    Path.home().joinpath(".last-distillation").write_text(pipeline_run_id)\n',
        ("A01",),
    ),
    Mutant(
        "takes-keys-that-it-does-not-know",
        "settings/model.py",
        '        extra="forbid",\n',
        '        extra="ignore",\n',
        ("A02",),
    ),
    Mutant(
        "takes-a-skip-without-a-line",
        "schemas/skip_row.py",
        "    line: Ordinal = Field(",
        "    line: int = Field(",
        ("A03",),
    ),
    Mutant(
        "forgets-lines-without-parts",
        "engine/emit.py",
        "            for skip in index.skips\n",
        '            for skip in index.skips if skip.reason != "no_parts"\n',
        ("A04",),
    ),
    Mutant(
        "keeps-the-last-of-a-repeated-key",
        "storage/source_lines.py",
        "        if len(value) != len(pairs):\n",
        "        if len(value) > len(pairs):\n",
        ("A05",),
    ),
    Mutant(
        "prints-rows-as-they-are",
        "contracts/untrusted.py",
        "unicodedata.category(character) in _HIDDEN:",
        'unicodedata.category(character) == "Cs":',
        ("A05",),
    ),
    Mutant(
        "counts-offsets-from-one",
        "engine/chunk_work.py",
        "                byte_offset=line.byte_offset,\n",
        "                byte_offset=line.byte_offset + 1,\n",
        ("A06",),
    ),
    Mutant(
        "forgets-lines-of-earlier-files",
        "engine/reduce.py",
        "        seen = self._seen_lines.setdefault(stream, set())\n",
        "        if index.line_numbers[:8] == (1).to_bytes(8, 'little'):\n"
        "            self._seen_lines.pop(stream, None)\n"
        "        seen = self._seen_lines.setdefault(stream, set())\n",
        ("A07",),
    ),
    Mutant(
        "knows-chunks-by-where-they-lie",
        "engine/chunk_work.py",
        "{task.role}\\0{task.source_file}\\0",
        "{task.role}\\0{task.path}\\0",
        ("A08",),
    ),
    Mutant(
        "leaves-soft-signs-to-a-person",
        "stages/scoring_rules.py",
        '        "Are there success markers and nothing else?",\n        PARTIALLY_ACCEPTED,\n',
        '        "Are there success markers and nothing else?",\n        NEEDS_HUMAN_REVIEW,\n',
        ("A09",),
    ),
    Mutant(
        "wants-more-than-the-threshold",
        "stages/scoring_rules.py",
        "return signals.reward is not None and signals.reward >= threshold",
        "return signals.reward is not None and signals.reward > threshold",
        ("A10",),
    ),
    Mutant(
        "hears-people-only-without-a-verdict",
        "stages/scoring_rules.py",
        "signals.decision is not None,\n",
        "signals.decision is not None and signals.verdict is None,\n",
        ("A11",),
    ),
    Mutant(
        "believes-the-verdict-against-the-reward",
        "stages/scoring_rules.py",
        "        return signals.reward < thresholds.partial_at\n",
        "        return False\n",
        ("A12",),
    ),
    Mutant(
        "has-an-empty-never-list",
        "stages/export_sft.py",
        'SFT_NEVER = frozenset(("rejected", "needs_human_review"))',
        "SFT_NEVER: frozenset[str] = frozenset()",
        ("A13",),
    ),
    Mutant(
        "has-a-label-of-any-kind",
        "schemas/sft.py",
        'quality_score: Literal["accepted", "partially_accepted"] = Field(',
        "quality_score: str = Field(",
        ("A03",),
    ),
    Mutant(
        "writes-a-label-of-any-kind",
        "schemas/written.py",
        '_Allowed = Literal["accepted", "partially_accepted"]',
        "_Allowed = str",
        ("A13",),
    ),
    Mutant(
        "has-a-firewall-that-sees-nothing",
        "firewall/walls.py",
        "        offences: list[Offence] = []\n        label = row.quality_score\n",
        "        return []\n        offences: list[Offence] = []\n        label = row.quality_score\n",
        ("A13", "A14"),
        "the firewall is the third wall, and the one that looks for laundered rows",
        installed=True,
    ),
    Mutant(
        "trains-on-half-of-an-item",
        "evaluation/overlap.py",
        "REFUSED_COVERAGE = 0.5\n",
        "REFUSED_COVERAGE = 0.51\n",
        ("A13", "A14"),
        "what the exporter lets through is what the firewall sees",
    ),
    Mutant(
        "takes-ten-tasks-for-many",
        "evaluation/overlap.py",
        "if len(of_tasks) > limit}",
        "if len(of_tasks) >= limit}",
        ("A13", "A14"),
        "what the exporter lets through is what the firewall sees",
    ),
    Mutant(
        "refuses-phrases-of-the-trade",
        "evaluation/overlap.py",
        "                if fact in common:\n",
        "                if fact in ():\n",
        ("A13",),
    ),
    Mutant(
        "trains-on-short-items",
        "evaluation/overlap.py",
        '                whole.update(table.whole.get(" ".join(cut), ()))\n',
        "                pass\n",
        ("A13", "A14"),
        "what the exporter lets through is what the firewall sees",
    ),
    Mutant(
        "has-a-firewall-that-wants-more-than-half-of-an-item",
        "firewall/evaluation_wall.py",
        "_HALF = 0.5\n",
        "_HALF = 0.51\n",
        ("A14",),
        installed=True,
    ),
    Mutant(
        "has-a-firewall-that-knows-no-short-items",
        "firewall/evaluation_wall.py",
        'suspect.whole += corpus.whole.get(" ".join(cut), ())',
        "suspect.whole += ()",
        ("A14",),
        installed=True,
    ),
    Mutant(
        "has-a-firewall-that-forbids-phrases-of-the-trade",
        "firewall/evaluation_wall.py",
        "if len(of_tasks) > limit}",
        "if False}",
        ("A14",),
        installed=True,
    ),
    Mutant(
        "has-a-firewall-that-is-clear-without-the-set",
        "firewall/evaluation_wall.py",
        "    elif examined.doubt is not None and state in",
        "    elif examined.doubt is None and state in",
        ("A14",),
        installed=True,
    ),
    Mutant(
        "compares-texts-byte-by-byte",
        "firewall/text_forms.py",
        "    lines = [line.rstrip() for line in without_hidden(text).splitlines()]\n",
        "    return StrictForm(text, False)\n    lines = []\n",
        ("A14",),
        installed=True,
    ),
    Mutant(
        "reads-no-verdict-of-a-pair-or-playbook",
        "firewall/other_exports.py",
        "said = [(LINEAGE, detail) for detail in self._not_allowed(export, row)]",
        "said: list[tuple[str, str]] = []",
        ("A14",),
        installed=True,
    ),
    Mutant(
        "overlooks-members-of-another-name",
        "firewall/sft_row.py",
        "    return min(others, default=None)\n",
        "    return None\n",
        ("A14",),
        installed=True,
    ),
    Mutant(
        "believes-the-receipt-of-a-formatted-file",
        "firewall/formatted_truth.py",
        "    return [_checked(places, truth, each) if each.has_receipt else each for each in files]\n",
        "    return list(files)\n",
        ("A14",),
        installed=True,
    ),
    Mutant(
        "believes-what-a-row-says-of-its-run",
        "firewall/walls.py",
        "        return sft_row_differs(row, run) or beside_texts_differ(row, run, self._rule)\n",
        "        return beside_texts_differ(row, run, self._rule)\n",
        ("A14",),
        installed=True,
    ),
    Mutant(
        "believes-what-a-row-says-beside-its-texts",
        "firewall/row_facts.py",
        '        if value is not UNSET and its is not UNSET and (value or "") != its:\n',
        "        if False:\n",
        ("A14",),
        installed=True,
    ),
    Mutant(
        "believes-the-side-of-a-row",
        "firewall/row_facts.py",
        "    if rule is None or split is UNSET or split == side_of(run, rule):\n",
        "    if True:\n",
        ("A14",),
        installed=True,
    ),
    Mutant(
        "believes-what-a-turn-weighs",
        "firewall/row_facts.py",
        '        if mine.role == "assistant" and _weight(mine) != _weight(its):\n',
        "        if False:\n",
        ("A14",),
        installed=True,
    ),
    Mutant(
        "lets-a-run-make-two-rows",
        "firewall/repeated_runs.py",
        "        if not has_evidence(packed):\n",
        "        if True:\n",
        ("A14",),
        installed=True,
    ),
    Mutant(
        "takes-what-nobody-sees-for-a-difference",
        "firewall/text_forms.py",
        "    seen = text.translate(_HIDE)\n",
        "    seen = text\n",
        ("A14",),
        installed=True,
    ),
    Mutant(
        "takes-another-system-prompt-for-another-task",
        "firewall/same_answer.py",
        '        by_others = (part for turn in turns if turn[0] != "system" for part in turn)\n',
        "        by_others = (part for turn in turns for part in turn)\n",
        ("A14",),
        installed=True,
    ),
    Mutant(
        "swaps-the-sides-of-a-pair",
        "stages/export_preference.py",
        'return prompt, [answer], flat_messages(*asked, rejected.evidence["response"])[-1:]',
        'return prompt, flat_messages(*asked, rejected.evidence["response"])[-1:], [answer]',
        ("A14", "A15"),
        "the fidelity wall sees swapped sides, too",
    ),
    Mutant(
        "pairs-tasks-that-nobody-passed",
        "stages/pairing.py",
        "    if not some_passed:\n",
        "    if False:\n",
        ("A15",),
    ),
    Mutant(
        "gives-runs-in-review-the-benefit-of-the-doubt",
        "stages/export_rag.py",
        '    category = scored["category"]\n',
        '    category = {"needs_human_review": "accepted"}.get(scored["category"], scored["category"])\n',
        ("A14", "A16"),
        "the firewall holds playbooks against verdicts, too",
    ),
    Mutant(
        "calls-every-playbook-accepted",
        "stages/export_rag.py",
        '        "source_category": category,\n',
        '        "source_category": "accepted",\n',
        ("A16",),
    ),
    Mutant(
        "quarantines-no-copies",
        "engine/emit_export.py",
        "for row, refusal in enumerate(refusals) if refusal]",
        'for row, refusal in enumerate(refusals) if refusal and refusal != "duplicate_sample"]',
        ("A17",),
    ),
    Mutant(
        "counts-bytes-before-the-stamp",
        "engine/rows_writer.py",
        "        self._bytes += len(stamped)\n",
        "        self._bytes += len(stamped) - self._rows\n",
        ("A18",),
    ),
    Mutant(
        "hashes-the-time-zone",
        "engine/run_hash.py",
        '        "settings": settings_digest,\n',
        '        "settings": settings_digest + __import__("time").tzname[0],\n',
        ("A19",),
    ),
    Mutant(
        "hashes-counts-but-no-rows",
        "engine/run_hash.py",
        '{"rows": rows, "rows_digest": digest}',
        '{"rows": rows}',
        ("A19",),
    ),
    Mutant(
        "notes-the-moment-in-a-row",
        "stages/score.py",
        '        "sub_scores": _sub_scores(evidence),\n',
        '        "sub_scores": {**_sub_scores(evidence), "moment": __import__("time").time()},\n',
        ("A19", "A20"),
        "no two runs agree, so a resumed one does not agree with the straight one either",
    ),
    Mutant(
        "settles-nothing",
        "engine/commit.py",
        "        intent = read_intent(workspace)\n        if intent is None:\n",
        "        intent = None\n        if intent is None:\n",
        ("A20",),
    ),
    Mutant(
        "finds-the-farthest-playbook",
        "replay/playbook_index.py",
        "ORDER BY relevance DESC",
        "ORDER BY relevance ASC",
        ("A21",),
    ),
    Mutant(
        "hears-no-hedging",
        "replay/validate.py",
        "    if _FILLER.search(folded):\n",
        "    if _FILLER.fullmatch(folded):\n",
        ("A22",),
    ),
)
