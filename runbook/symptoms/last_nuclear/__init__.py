"""LAST.nuclear: nothing else worked."""
