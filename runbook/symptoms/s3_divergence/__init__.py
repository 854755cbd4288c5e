"""S3.divergence: acceptance is red while the real data are green: the fixture sees what they hide."""
