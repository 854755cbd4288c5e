"""Licences by the ids that Hugging Face knows; another licence is ``other``, with its name and a link.

https://huggingface.co/docs/hub/repositories-licenses
"""

from __future__ import annotations

import re
from typing import NamedTuple

_KNOWN = """
    apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0
    bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear
    c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0
    cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0
    cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl
    ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1
    lgpl-3.0 isc lppl-1.3c ms-pl mpl-2.0 odc-by odbl openrail++ osl-3.0 postgresql ofl-1.1 ncsa
    unlicense zlib pddl llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 gemma unknown other
"""
_IDS = frozenset(_KNOWN.split())
# Other spellings of them: what people write, and SPDX.
_ALSO = {
    "apache": "apache-2.0", "apache-license": "apache-2.0", "apache-2": "apache-2.0", "asl-2.0": "apache-2.0",
    "bsd-2": "bsd-2-clause", "bsd-3": "bsd-3-clause", "expat": "mit", "cc0": "cc0-1.0", "mpl": "mpl-2.0",
    "odc-by-1.0": "odc-by", "odbl-1.0": "odbl", "pddl-1.0": "pddl", "the-unlicense": "unlicense",
    "cc-by": "cc-by-4.0", "cc-by-sa": "cc-by-sa-4.0", "public-domain": "cc0-1.0",
}  # fmt: skip


_CONDITION = re.compile(
    r"\b(?:non|not|no|only|unless|except|without|restrict\w*|prohibit\w*|research|academic|additional|clause)\b",
    re.IGNORECASE,
)


class Licence(NamedTuple):
    """What a stream's settings state: its licence in their words, and where it can be read."""

    name: str | None
    link: str | None = None


def hub_id(name: str) -> str:
    """The id of a licence, ``other`` for one that has none.

    Who holds it may stand behind it; a condition that is put there makes it another licence.
    """
    whole = _id_of(name)
    licence, _, holder = re.sub(r"[,;(]", "\0", name, count=1).partition("\0")
    return whole if whole != "other" or _CONDITION.search(holder) else _id_of(licence)


def _id_of(name: str) -> str:
    words = re.sub(r"[\s_,/]+", "-", name.strip().lower())
    words = re.sub(r"-(?:only|or-later|international|licen[cs]e)(?=-|$)", "", words)
    words = re.sub(r"^(?:the|creative-commons)-", lambda match: "cc-" if "commons" in match[0] else "", words)
    words = re.sub(r"-v(?:ersion-?)?\.?(?=[0-9])|-version-", "-", words)
    words = words.replace("attribution", "by").replace("share-alike", "sa").replace("cc-cc", "cc")
    words = re.sub(r"^(apache|l?gpl|agpl|mpl|epl)-?([0-9])$", r"\1-\2.0", words)
    found = _ALSO.get(words, words)
    return found if found in _IDS else "other"
