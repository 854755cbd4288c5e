"""The evaluation wall's exporter side: rows that hold items of declared test sets are not trained on.

``tokens`` cuts texts, ``sets`` reads what ``[[evaluation]]`` names and indexes its n-grams,
``overlap`` decides which rows hold too much of an item. The firewall finds such rows in standing
files by code of its own.
"""
