"""Tasks become instructions: the same wish, said many ways. Read `stage.py` first, then `covering`, `ledger`, `render`, `paraphrase`."""
