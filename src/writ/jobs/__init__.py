"""The Jobs port: who runs a server or a training beside a stage. On a laptop a subprocess (`local.py`)."""
