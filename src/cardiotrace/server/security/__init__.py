"""Who may ask for what: pure ASGI around the application, so that a closed connection is noticed within."""
