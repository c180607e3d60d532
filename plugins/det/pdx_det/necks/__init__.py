"""What stands between trunk and head in the detectors."""
