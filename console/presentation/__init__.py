"""Pure functions from what is known to lines of text: no Textual, no clock, no disk.

A line is a tuple of spans, and a span is text with the name of its role. Which colour a role
has is the style sheet's business; the words and marks alone must tell the state.
"""
