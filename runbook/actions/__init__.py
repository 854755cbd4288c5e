"""The verbs: each makes a plan and touches nothing. ``apply.py`` carries plans out."""
