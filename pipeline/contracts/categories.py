"""The four categories of a scored run, and which of them may be trained on.

The firewall and the audit keep lists of their own: they are to find out when this one is wrong.
"""

from __future__ import annotations

ACCEPTED = "accepted"
PARTIALLY_ACCEPTED = "partially_accepted"
NEEDS_HUMAN_REVIEW = "needs_human_review"
REJECTED = "rejected"
# From best to worst. A review says nothing about quality, so it has no rank.
CATEGORIES = (ACCEPTED, PARTIALLY_ACCEPTED, NEEDS_HUMAN_REVIEW, REJECTED)
