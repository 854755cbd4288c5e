"""S2.drift: a metric of the last audit moved further than it may, and nobody has decided about it.

So do the journals that say what is normal: one that is not as audits read it is answered here, too.
"""

from __future__ import annotations

from pipeline.contracts.severity import Severity
from pipeline.contracts.symptoms import ByHand, Definition

ID = "S2.drift"
JOURNALS = "P5.journals"
LEAK = "leak"
JOURNAL = "journal_changed"
FIELD = "field_lost"
OTHER = "other_symptom"
SETTING = "settings_changed"
READER = "reader_changed"
SOURCES = "new_source_data"
SCORER = "scorer"
EXPORTER = "exporter"
UNKNOWN = "unknown"
CAUSES = (
    (LEAK, "The firewall finds forbidden rows; that comes first, and may be what moved the numbers."),
    (
        JOURNAL,
        "A journal was changed, cut or lost since an audit read it: what was normal may be gone with it.",
    ),
    (FIELD, "A stream's rows lost a field that they had: its log calls it something else. Not drift."),
    (OTHER, "Another symptom that moves numbers is detected; it comes first."),
    (SETTING, "Settings that decide what is counted are not those of the last-good tag."),
    (READER, "The code that reads lines or maps them is not what it was at the last-good tag."),
    (SOURCES, "The evidence itself moved: there is other source data than at the baseline."),
    (SCORER, "The evidence stands as it was, and its verdicts moved: rules or labels changed."),
    (EXPORTER, "Evidence and verdicts stand as they were, and the exports moved: the exporter changed."),
    (UNKNOWN, "What moved belongs to no phase, or the firewall could not examine the rows."),
)

DEFINITION = Definition(
    id=ID,
    severity=Severity.WARNING,
    title="A metric drifted",
    what_you_see=f"Rows of the audit's drift table say warn or missing, or its check `{JOURNALS}` fails.",
    why="Other data, other rules or a loosened exporter look alike in a total; a person decides which it is.",
    phases=("P8",),
    checks=(JOURNALS,),
    live=False,
    explained_by=(
        "S1.P4.sft-leak",
        "S1.P0.source-missing",
        "S1.P2.materialize",
        "S1.P3.distribution",
        "S1.P4.self-pair",
        "S4.empty-exports",
    ),
    causes=CAUSES,
    by_hand=(
        ByHand("The firewall first: no drift is accepted over a forbidden row.", "distill firewall"),
        ByHand(
            f"Where `{JOURNALS}` fails: which journal, and from which line on; is there a good copy?",
            f"distill audit-full --check {JOURNALS}; ls -la data/_kb; git log --oneline -- data/_kb",
        ),
        ByHand(
            "Put the good copy back in its place, or take the journals as they are.",
            "distill baseline adopt --note WHY",
        ),
        ByHand(
            "Then the fields: none may be lost, as a renamed one moves every number.", "distill streams check"
        ),
        ByHand(
            "Then settings, streams and scorer: what differs from the last-good tag, and by whose commit.",
            'git log -p "$TAG".. -- distill.toml pipeline/streams pipeline/stages',
        ),
        ByHand("See what moved, and by which stream, model or reason.", "distill audit-full --no-append"),
        ByHand(
            "Dismiss it once: it is not the new normal.",
            "distill baseline dismiss --metric METRIC --note WHY",
        ),
        ByHand("Accept it as the new normal.", "distill baseline accept --metric METRIC --note WHY"),
    ),
    rank=10,
)
