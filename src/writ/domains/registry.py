"""Where domains come from: two are built in, any other is a folder (or a module) and one line of configuration."""

import importlib
import importlib.util
import json
import sys
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType

from writ.domains.base import Domain
from writ.domains.database import Database
from writ.domains.environment import Environment
from writ.errors import ConfigError
from writ.schema import DomainSnapshot

BUILT_IN = {"retail": "writ.domains.retail.domain", "airline": "writ.domains.airline.domain"}


@cache
def load_domain(code: str) -> Domain:
    """The one Domain subclass in `code`: a built-in name, a dotted module, or a folder that holds `domain.py`.

    Raises: ConfigError where nothing can be imported from there, or not exactly one domain stands in it.
    """
    module = _module(BUILT_IN.get(code, code))
    found = [
        item
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, Domain) and item is not Domain and item.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise ConfigError(f"domain '{code}': {module.__name__} defines {len(found)} Domain subclasses; define exactly one")
    domain: Domain = found[0]()
    return domain


def _module(code: str) -> ModuleType:
    folder = Path(code)
    if "/" in code or folder.is_dir():
        return _module_of(folder)
    try:
        return importlib.import_module(code)
    except ModuleNotFoundError as e:
        known = ", ".join(BUILT_IN)
        raise ConfigError(f"domain '{code}' cannot be imported ({e}); built in are {known}; name a folder or a module for any other") from e


def _module_of(folder: Path) -> ModuleType:
    """Imports `<folder>/domain.py` as a package of the folder's name, so that its files may import each other."""
    if not (folder / "domain.py").is_file():
        raise ConfigError(f"domain folder '{folder}' holds no domain.py; put the Domain subclass there")
    package = f"writ_domain_{folder.name}"
    if package not in sys.modules:
        parent = ModuleType(package)
        parent.__path__ = [str(folder.resolve())]
        sys.modules[package] = parent
    try:
        return importlib.import_module(f"{package}.domain")
    except (ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError) as e:
        raise ConfigError(f"domain folder '{folder}': domain.py cannot be imported ({type(e).__name__}: {e}); mend it") from e


@dataclass(frozen=True)
class OpenDomain:
    """A domain over one snapshot: what stages work with."""

    domain: Domain
    snapshot: DomainSnapshot
    database: Database

    def environment(self) -> Environment:
        """A fresh world; opening it costs microseconds."""
        return Environment(self.domain.toolkit, self.database)

    @property
    def name(self) -> str:
        return self.snapshot.name

    @cached_property
    def tools_text(self) -> str:
        """The tools' schemas as the JSON text that every training row carries."""
        return json.dumps(list(self.snapshot.tools), ensure_ascii=False)

    @cached_property
    def system_prompt(self) -> str:
        """The agent's system prompt, exactly as the benchmark fills it."""
        return self.snapshot.agent_prompt.replace("{domain_policy}", self.snapshot.policy)


def open_domain(snapshot: DomainSnapshot) -> OpenDomain:
    """Loads the snapshot's code and shares its database. Raises: ConfigError, ArtifactError (torn database)."""
    domain = load_domain(snapshot.code)
    database = Database.from_tables(snapshot.database, domain.toolkit.shape, source=f"database of domain '{snapshot.name}'")
    return OpenDomain(domain, snapshot, database)
