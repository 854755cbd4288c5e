"""Every format by its name. A new one is a module here with its ``FORMATS``, and one line below."""

from __future__ import annotations

from pipeline.formats import (
    axolotl,
    llama_factory,
    openai_chat,
    trl_conversational,
    trl_preference,
    trl_prompt_completion,
    trl_unpaired,
)
from pipeline.formats.format import Format

FORMATS: dict[str, Format] = {
    entry.name: entry
    for module in (
        trl_conversational,
        trl_prompt_completion,
        trl_preference,
        trl_unpaired,
        openai_chat,
        axolotl,
        llama_factory,
    )
    for entry in module.FORMATS
}
