"""The one hand for the machine: files, locks, git, processes, identity. Standard library and GitPython."""
