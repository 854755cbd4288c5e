"""S1.P7.replay: replayed tasks find no playbook, or the model's answer does not pass the validator."""
