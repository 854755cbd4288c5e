"""The dataset card: what the exports hold, where it came from, what was checked, what to be careful about.

* ``facts``        what is counted in the rows of an export and of its quarantine
* ``context``      what is known beside the rows: settings, checks, formatted files
* ``licences``     licences as Hugging Face names them
* ``front_matter`` the YAML that the Hub and ``load_dataset`` read
* ``evaluation``   which evaluation sets were looked for
* ``markdown``     data as plain text in Markdown and YAML
* ``text``         the card: pure, the same facts always give the same bytes
"""

from pipeline.card.context import CardContext, FormattedFile, Licence
from pipeline.card.facts import ExportFacts
from pipeline.card.text import dataset_card

__all__ = ["CardContext", "ExportFacts", "FormattedFile", "Licence", "dataset_card"]
