"""Read-only looks at a workspace that several symptoms share."""
