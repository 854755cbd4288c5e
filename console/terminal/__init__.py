"""What this terminal is, how it is spoken to, and what to do when it goes away."""
