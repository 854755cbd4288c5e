"""S1.P6.acceptance: an invariant fails on the fixture, and the real data are not green either."""
