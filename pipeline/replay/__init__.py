"""P7: put a task to a model with the playbooks that fit it, and judge the answer's structure.

* ``playbook_index``  BM25 over the exported playbooks, in an index that follows the file
* ``models``          the embedded ``extractive`` model and the OpenAI-compatible client
* ``model_choice``    which model is asked, and who said so
* ``validate``        permanent reasons why an answer is no answer
* ``replay``          retrieve, ask, escalate, judge, log
* ``rotate``          the log, moved aside and verified before a byte of it goes
"""
