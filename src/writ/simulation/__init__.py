"""The simulate stage: instructions become conversations. Read `engine.py` first, then `conversation.py`."""
