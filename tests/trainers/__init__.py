"""`make trainers`: formats are loaded and trained on as a user would, and what was learnt is looked at."""
