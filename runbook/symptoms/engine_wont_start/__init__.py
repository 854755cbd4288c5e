"""ENGINE.wont-start: the engine ends before it can say anything."""
