"""Whether a run is an example to learn from, whatever it was judged.

One that was cut off, or that its harness failed, is an example of nothing: not of a good answer,
and not of a bad one. The rest is a matter of taste and of the chat template: ``[export] refuse``.
"""

from __future__ import annotations

from pipeline.stages.export_options import ExportOptions
from pipeline.stages.lint import lint, lint_texts, texts_of
from pipeline.stages.markup import any_markup
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.sample import Sample


def unfit_for_training(sample: Sample, options: ExportOptions) -> Refusal | None:
    """Why the run stands in no row of SFT and on no side of a pair, or None."""
    if sample.flags:
        for reason in (QuarantineReason.ENVIRONMENT_ERROR, QuarantineReason.TRUNCATED):
            if reason.value in sample.flags:
                return Refusal(reason)
    if not options.refuse:
        return None
    found = {*sample.flags, *lint_of(sample)}
    refused = next((code for code in options.refuse if code in found), None)
    return None if refused is None else Refusal(QuarantineReason(refused))


def lint_of(sample: Sample) -> tuple[str, ...]:
    """The codes of what an export would hold of the run."""
    if sample.messages is None:
        return lint_texts(sample.context, sample.instruction, sample.response)
    return lint(sample.messages, sample.tools or None)


def has_markup_to_learn(sample: Sample) -> bool:
    """Whether a row of the run holds what a tokenizer would take for the end of a turn."""
    if sample.messages is None:
        return any_markup((sample.context, sample.instruction, sample.response))
    return any_markup(texts_of(sample.messages))
