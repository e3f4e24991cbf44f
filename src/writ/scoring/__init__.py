"""From scored conversations to figures: pass^k with intervals, cells, tokens, errors, and models side by side. Pure functions of `Score` records."""
