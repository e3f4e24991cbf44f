"""The templates of templates.txt, by name."""

from importlib.resources import files
from random import Random

from writ.domains.retail.evidence_book import Json
from writ.domains.wording import phrasebook, spin

TEMPLATES = phrasebook(files(__package__).joinpath("templates.txt").read_text(encoding="utf-8"))


def say(rng: Random, name: str, slots: Json | None = None) -> str:
    """One sentence or phrase of the template of that name."""
    return spin(rng, rng.choice(TEMPLATES[name]), slots)


def voiced(rng: Random, name: str, slots: Json) -> str:
    """A whole request around a verb phrase, as a statement or a question, with its first letter capitalized."""
    frame = "statement" if rng.random() < 0.6 else "question"
    template = rng.choice(TEMPLATES["greeting"]) + rng.choice(TEMPLATES[frame])
    text = spin(rng, template.replace("{body}", rng.choice(TEMPLATES[name])), slots)
    return text[0].upper() + text[1:]
