"""The verbs: each makes a plan and touches nothing. ``change/apply.py`` carries plans out."""
