"""S1.P3.distribution: verdicts are missing, or not one run is accepted."""
