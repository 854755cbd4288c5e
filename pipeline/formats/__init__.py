"""Exports as trainers load them: a folder a format, each file with a receipt that accounts for it.

* ``format``        what a format is: columns, conversion, loss recipe; ``registry`` lists them all
* ``trl_…``, ``openai_chat``, ``axolotl``, ``llama_factory``   pure: a canonical row in, the trainer's out
* ``messages``      the shape that chat templates expect of a conversation
* ``sources``, ``labelled``, ``reading``   the rows that formats are made of, held against what a run wrote
* ``write``, ``parquet_file``, ``jsonl_file``, ``leading_rows``   files that appear whole, with their receipts
* ``folder``, ``readme``   the folder that a trainer loads; ``single_files`` the files of before
* ``command``       ``distill export --format``
"""
