"""Changing something: arming, the control lease, jobs, and the console's hands on a wizard."""
