"""The end-to-end pages of the documentation, run on the real nginx and gunicorn."""
