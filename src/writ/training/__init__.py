"""From rows to weights. Heavy packages (torch, transformers, TRL) are imported where they are used; `requirements/train.txt` has them."""
