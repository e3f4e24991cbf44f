"""Many requests in one forward pass: a batch is decoded token by token until each of its rows has ended."""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Ask(NamedTuple):
    """One reply to write."""

    ids: list[int]
    """The prompt."""
    most: int
    """Tokens of the reply at most."""
    temperature: float = 0.0
    """0 takes the likeliest token."""
    top_p: float = 1.0
    seed: int = 0


class Wrote(NamedTuple):
    ids: list[int]
    """Without the token that ended it."""
    ended: bool
    """False where it reached the most tokens."""


class Decoder:
    """A causal model with the tokens that end a turn."""

    def __init__(self, model: Any, ends: frozenset[int], pad: int) -> None:
        self._model = model.eval()
        self._ends = ends
        self._pad = pad
        self.longest: int = model.config.max_position_embeddings
        """Tokens of prompt and reply together."""

    def __call__(self, asks: Sequence[Ask]) -> list[Wrote]:
        """Replies in the order of the asks. A row's tokens depend on its own prompt and seed; only rounding depends on who shares its batch."""
        import torch

        with torch.inference_mode():
            return self._decode(torch, asks)

    def _decode(self, torch: Any, asks: Sequence[Ask]) -> list[Wrote]:
        written: list[list[int]] = [[] for _ in asks]
        ended = [False] * len(asks)
        dice = [torch.Generator(self._model.device).manual_seed(ask.seed) for ask in asks]
        width = max(len(ask.ids) for ask in asks)
        ids = torch.tensor([[self._pad] * (width - len(ask.ids)) + ask.ids for ask in asks], device=self._model.device)
        seen = torch.tensor([[0] * (width - len(ask.ids)) + [1] * len(ask.ids) for ask in asks], device=self._model.device)
        places, cache = (seen.cumsum(1) - 1).clamp(min=0), None
        live = list(range(len(asks)))
        """Row of the batch -> number of the ask."""
        while True:
            out = self._model(input_ids=ids, attention_mask=seen, position_ids=places, past_key_values=cache, use_cache=True, logits_to_keep=1)
            cache, logits = out.past_key_values, out.logits[:, -1].float()
            stay = []
            for row, number in enumerate(live):
                token = _pick(torch, logits[row], asks[number], dice[number])
                ended[number] = token in self._ends
                if not ended[number]:
                    written[number].append(token)
                    if len(written[number]) < asks[number].most:
                        stay.append(row)
            if not stay:
                return [Wrote(tokens, end) for tokens, end in zip(written, ended, strict=True)]
            if len(stay) < len(live):
                kept = torch.tensor(stay, device=self._model.device)
                cache.batch_select_indices(kept)
                seen, places, live = seen[kept], places[kept], [live[row] for row in stay]
            ids = torch.tensor([[written[number][-1]] for number in live], device=self._model.device)
            seen = torch.cat([seen, torch.ones_like(ids)], dim=1)
            places = places[:, -1:] + 1


def _pick(torch: Any, logits: Any, ask: Ask, dice: Any) -> int:
    if ask.temperature == 0:
        return int(logits.argmax())
    shares, order = torch.softmax(logits / ask.temperature, dim=-1).sort(descending=True)
    shares[shares.cumsum(0) - shares >= ask.top_p] = 0.0
    return int(order[torch.multinomial(shares, 1, generator=dice)])
