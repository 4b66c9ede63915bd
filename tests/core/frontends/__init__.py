"""The front end's half: checked as text here, and run in tests/real/frontends."""
