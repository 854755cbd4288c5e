"""Has a metric moved further than chance would move it, and what moved it?

* ``measure``    the metrics of the workspace as it is, counted from the files
* ``statistics`` how surprising a change is
* ``baselines``  the append-only file of accepted values, read tolerantly
* ``compare``    metrics against baseline and anchor: one row a metric
* ``causes``     the streams, models and reasons behind a change
* ``decisions``  accept and dismiss, refused when the value has moved since
"""
