"""An incident from detection to verification: its journal, the dialogue folded from it, the session."""
