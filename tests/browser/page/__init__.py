"""The page in a real browser, behind a real nginx and straight from gunicorn."""
