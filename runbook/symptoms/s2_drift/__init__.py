"""S2.drift: a metric of the last audit moved further than it may, and nobody has decided about it."""
