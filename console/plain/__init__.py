"""The console without a screen: numbered prompts and plain lines."""
