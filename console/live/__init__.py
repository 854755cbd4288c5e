"""What moves while one looks: the feed, its watchers, the followed run."""
