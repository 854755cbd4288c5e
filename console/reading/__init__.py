"""The workspace read from its files alone, leniently: what cannot be read is a note, never an error."""
