"""The firewall: a scan of a training file that trusts none of the code that wrote it.

Four walls: **label**, **lineage**, **content**, **readable** (``walls.py``). It reads JSON with
msgspec, a parser the exporter does not use, builds its own index of verdicts and rejected texts
(``index.py``), and imports neither schemas nor exporter: only ``pipeline.contracts``, the machine
from ``pipeline.platform``, msgspec and the standard library. ``python -P -m pipeline.firewall``
therefore works while they are broken.

    line_feed.py     bytes of a file that may still grow, to whole lines
    sft_row.py       one line to a row, exactly: fast where our parser would write the same bytes
    strict_json.py   the slow, exact reader for every line that is in doubt
    text_keys.py     what makes two texts the same text
    run_table.py     run id to verdict, packed;  rejected_texts.py  what rejected runs answered
    index.py         reads evidence and scored runs into those two
    walls.py         judges one row;  file_scan.py  one file, also while it grows
    formatted.py     formatted files against their receipts;  beside.py  what else a loader would read
    scan.py          one look at a file or a workspace;  watch.py  stays on;  sentinel.py  its state
    causes.py        what receipts say about a file;  places.py  which files may be read
    report.py        findings, report, text;  state_events.py  firewall.state lines;  cli.py
"""
