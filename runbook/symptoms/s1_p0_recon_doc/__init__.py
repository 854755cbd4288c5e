"""S1.P0.recon-doc: the recon doc is missing or empty."""
