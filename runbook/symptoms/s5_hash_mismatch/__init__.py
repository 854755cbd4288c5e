"""S5.hash-mismatch: the same input gives other rows. A trained model can then never be accounted for."""
