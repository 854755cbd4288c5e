"""The full-screen console: app, screens, widgets. Textual is imported here and nowhere else."""
