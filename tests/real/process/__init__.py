"""Process signals on the real servers: gunicorn, uWSGI and mod_wsgi."""
