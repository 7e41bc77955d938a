"""A real-time download manager that is a server of one's own."""

__version__ = "1.1.0"
