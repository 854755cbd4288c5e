"""The pure stages: data in, a decision out. No clock, no randomness, no file is touched here.

Score (P3):

* ``scoring_rules``   the ordered rules, each with its permanent reason code
* ``score``           the first rule that matches decides; ``explain`` shows the way there

Read, once a run, what all exporters need:

* ``transcript``      how a conversation is read: its turns, its views, where it is cut
* ``text_keys``       when two texts are the same text, and the keys that say so
* ``secret_rules``    what a credential looks like, kind by kind
* ``secrets``         credentials that must not reach an export: the search for them
* ``personal``, ``check_digits``  personal data, by forms that prove themselves
* ``sensitive``       both, of one text
* ``sample``          the texts, length, keys and secrets of one run
* ``sample_keys``     when two exported rows are the same sample

Export (P4):

* ``refusals``        the permanent codes of quarantine
* ``markup``, ``tool_schemas``, ``lint``   what is wrong with a conversation that is to be learned from
* ``fitness``         what is no example, and what settings refuse of the lint
* ``row_identity``    ids and task keys, by hashing
* ``splits``          train or validation, by hashing what was asked
* ``export_options``  what the exporters read of the settings
* ``export_rag``, ``export_sft``, ``export_preference``   one row, or the reason why not
* ``run_limits``, ``row_limits``  what ``[export.*]`` leaves out: by a run's verdict, by other rows
* ``pairing``         which attempts of one task make a pair
"""
