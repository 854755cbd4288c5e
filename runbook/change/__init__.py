"""The only hand that moves a file: plan, rehearse, apply, undo."""
