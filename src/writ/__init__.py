"""writ: verified training conversations for tool-calling agents."""
