"""The pure stages: data in, a decision out. No clock, no randomness, no file is touched here.

* ``scoring_rules``      the ordered rules of P3, each with its permanent reason code
* ``score``              the first rule that matches decides; ``explain`` walks all of them
* ``text_keys``          when two texts are the same text, and the keys that say so
* ``transcript``         how a conversation is read: its turns, its views, where it is cut
* ``sample``             what the exporters read from one evidence row, worked out once
* ``secrets``            credentials that must not reach an export
* ``refusals``           the permanent codes of quarantine
* ``export_rag``, ``export_sft``, ``export_preference``   one row, or the reason why not
* ``pairing``            which attempts of one task make a pair
"""
