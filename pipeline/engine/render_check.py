"""The chat template of ``[export] render_check``, read and compiled once a process."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.faults import SettingsError
from pipeline.contracts.untrusted import visible
from pipeline.platform import disk
from pipeline.settings.confine import is_inside, source_roots
from pipeline.settings.model import Settings
from pipeline.stages.chat_template import Render, compile_template, refuses
from pipeline.stages.sample import Sample
from pipeline.stages.transcript import Message


@dataclass(frozen=True)
class RenderCheck:
    """``digest`` is the sha256 (hex) of the template's text."""

    digest: str
    render: Render

    def refusal(self, sample: Sample) -> str | None:
        """Why the template would refuse what is exported of a run, or None."""
        return refuses(self.render, sample.messages or _flat(sample), sample.tools or None)


def _flat(sample: Sample) -> list[Message]:
    said = (("system", sample.context), ("user", sample.instruction), ("assistant", sample.response))
    beside = dict.fromkeys(("tool_calls", "tool_call_id", "name", "reasoning", "weight"))
    return [{"role": role, "content": text, **beside} for role, text in said if text]


def load_render_check(workspace: Path, settings: Settings) -> RenderCheck | None:
    """None where no template is named. Raises SettingsError when it cannot be used."""
    named = settings.export.render_check
    if named is None:
        return None
    path = workspace / named
    if not is_inside(path, workspace, source_roots(workspace, settings)):
        raise _unusable(named, "it lies outside the workspace and its source_roots")
    try:
        with disk.open_to_read(path) as file:
            text = io.TextIOWrapper(file, encoding="utf-8").read()
        if path.suffix == ".json":
            text = _template_in(json.loads(text))
        render = compile_template(text)
    except ImportError:
        raise _unusable(
            named, "the library jinja2 is not installed", "pip install 'distill-console[templates]'"
        ) from None
    except OSError as error:
        raise _unusable(named, error.strerror or "it cannot be read") from error
    except ValueError as error:
        raise _unusable(named, f"it is no chat template ({error})") from error
    return RenderCheck(hashlib.sha256(text.encode()).hexdigest(), render)


def _template_in(document: object) -> str:
    """The template in a ``tokenizer_config.json``: a text, or the default of several that have names."""
    template = document.get("chat_template") if isinstance(document, dict) else None
    if isinstance(template, list):
        named = {each.get("name"): each.get("template") for each in template if isinstance(each, dict)}
        template = named.get("default")
    if not isinstance(template, str):
        raise ValueError("it has no chat_template")
    return template


def _unusable(named: str, why: str, do_next: str = "") -> SettingsError:
    return SettingsError.of(
        code="render_check_unusable",
        what_happened=visible(f"{paths.SETTINGS}: [export] render_check: {named}: {why}."),
        kept_safe="Nothing was written.",
        do_next=do_next
        or "Name a template file of the workspace (docs/exports.md), or take the setting out.",
        file=str(paths.SETTINGS),
        value=named,
    )
