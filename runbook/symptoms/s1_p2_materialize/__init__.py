"""S1.P2.materialize: the sources' lines do not become evidence, or evidence does not stand on them."""
