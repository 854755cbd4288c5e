"""The screens. Each owns its behaviour; the app only routes keys and holds the state."""
