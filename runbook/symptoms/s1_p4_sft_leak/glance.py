"""What the firewall has just said, where somebody has asked it, and what a run set aside unseen."""

from __future__ import annotations

from pipeline.contracts import paths
from pipeline.contracts.status import Answer, FirewallWord, Verdict
from pipeline.platform.lenient_json import objects_of, text_of
from pipeline.reading.facts import Facts
from pipeline.reading.firewall_words import leak_answer
from pipeline.reading.latest_run import is_quarantined
from runbook.symptoms.s1_p4_sft_leak import SFT


def glance(facts: Facts) -> Answer | None:
    """None where nobody asked: a receipt of the past is no answer."""
    breach = facts.set_aside
    stands = facts.firewall is not None and facts.firewall.state is FirewallWord.BREACH
    if breach is not None and not stands:
        return Answer(Verdict.DETECTED, breach.in_words, facts.now, since=breach.at, by_glance=True)
    if facts.firewall is None:
        return None
    return leak_answer(facts.firewall, facts.now, ever_made=was_ever_made(facts))


def was_ever_made(facts: Facts) -> bool:
    """Whether a run, a manifest or a quarantine knows of an export."""
    outputs = (output for receipt in facts.latest.receipts for output in objects_of(receipt.body, "outputs"))
    if any(text_of(output, "path") == SFT for output in outputs):
        return True
    return (facts.root / paths.EXPORT_MANIFEST).exists() or is_quarantined(facts.root / paths.SFT_EXPORT)
