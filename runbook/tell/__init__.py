"""What is told about an incident or a symptom, as pages."""
