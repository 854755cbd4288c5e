"""PURE: what is known, as one value, and how facts change it."""
