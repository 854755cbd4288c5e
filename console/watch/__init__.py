"""The live detectors without a screen: alerts and metrics."""
