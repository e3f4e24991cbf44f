"""writ: verified training conversations for tool-calling agents."""

__version__ = "0.1.0"
