"""P3: verdicts exist, are of known kinds, and every evidence row has exactly one."""

from __future__ import annotations

from collections import Counter

from pipeline.audit.failures import Failures
from pipeline.audit.workspace_view import WorkspaceView
from pipeline.checks.runner import Outcome
from pipeline.contracts.plurals import plural

CATEGORIES = ("accepted", "partially_accepted", "needs_human_review", "rejected")


def distribution(view: WorkspaceView) -> Outcome:
    """Examines scored rows; none at all, an unknown category or no accepted row is a failure."""
    failures = Failures()
    counts: Counter[str] = Counter()
    for scored in (files := view.scored_files()):
        for number, row in scored:
            counts[row.category] += 1
            if row.category not in CATEGORIES:
                failures.add(
                    f"unknown category {row.category}", file=scored.shown, line=number, run_id=row.run_id
                )
    failures.add_bad_rows(files)
    if not counts:
        failures.add("there is no scored run")
    elif not counts["accepted"]:
        failures.add("no run was accepted")
    shares = ", ".join(f"{name} {counts[name]:,}" for name in CATEGORIES)
    return failures.outcome(counts.total(), shares, observed=shares)


def coverage(view: WorkspaceView) -> Outcome:
    """Each evidence row has one verdict or one scoring skip; no orphans. Examines evidence rows."""
    failures = Failures()
    scored: Counter[str] = Counter()
    versions: Counter[str] = Counter()
    places: dict[str, tuple[str, int]] = {}
    for verdicts in (scored_files := view.scored_files()):
        for number, row in verdicts:
            scored[row.run_id] += 1
            versions[row.scorer_version] += 1
            places.setdefault(row.run_id, (verdicts.shown, number))
    scoring_skips = view.scoring_skips()
    skipped = Counter((skip.file, skip.line) for _, skip in scoring_skips or ())
    rows = 0
    seen: set[str] = set()
    for evidence in (evidence_files := view.evidence_files()):
        for number, found in evidence:
            rows += 1
            verdict_count = scored.get(found.run_id, 0)
            skip_count = skipped.pop((evidence.shown, number), 0)
            if found.run_id in seen:
                words = "" if skip_count == 1 else "a second evidence row has the same run_id"
            else:
                words = _problem(verdict_count, skip_count)
            seen.add(found.run_id)
            if words:
                failures.add(words, file=evidence.shown, line=number, run_id=found.run_id)
    for run_id, (file, number) in places.items():
        if run_id not in seen:
            failures.add("a verdict without evidence (orphan)", file=file, line=number, run_id=run_id)
    for file, number in skipped:
        failures.add("a scoring skip without evidence (orphan)", file=file, line=number)
    if len(versions) > 1:
        failures.add(f"several scorer versions: {', '.join(sorted(versions))}")
    failures.add_bad_rows([*scored_files, *evidence_files, *([scoring_skips] if scoring_skips else [])])
    version = next(iter(versions), "none")
    detail = f"{rows:,} evidence rows, {plural(scored.total(), 'verdict')}, scorer version {version}"
    return failures.outcome(max(rows, scored.total()), detail)


def _problem(verdicts: int, skips: int) -> str:
    if verdicts + skips == 1:
        return ""
    if verdicts > 1:
        return f"has {plural(verdicts, 'verdict')}"
    if verdicts and skips:
        return "has a verdict and a scoring skip"
    return f"has {plural(skips, 'scoring skip')}" if skips else "has no verdict"
