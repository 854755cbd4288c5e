"""S1.P4.self-pair: an export holds what its own rules forbid; first of all a pair of a run with itself."""
