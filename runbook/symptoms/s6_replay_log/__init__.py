"""S6.replay-log: the replay log has grown past its threshold."""
