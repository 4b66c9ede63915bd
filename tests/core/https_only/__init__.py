"""HTTPS only: the rules, what they stand on, and the two bare shells."""
