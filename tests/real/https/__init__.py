"""HTTPS only behind a real nginx that ends TLS, over real sockets."""
