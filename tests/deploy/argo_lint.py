"""What `argo lint` does not say about the files in argo/: each rule is a pain that users of Argo report.

`lint(documents)` takes every document of one installation and returns findings, each with its subject. A rule is one function here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]

_TAG = re.compile(r"\{\{(=?)(.*?)\}\}", re.DOTALL)
_EXPRESSION_NAME = re.compile(r"\b(inputs|workflow|tasks|steps)\b((?:\.[A-Za-z_][\w-]*|\['[\w-]+'\])+)")
_ALWAYS = {"workflow.name", "workflow.namespace", "workflow.uid", "workflow.serviceAccountName", "workflow.creationTimestamp", "node.name"}
_ON_A_POD = {"pod.name", "retries", "lastRetry.exitCode", "lastRetry.status", "lastRetry.duration", "lastRetry.message"}
_AT_THE_END = {"workflow.status", "workflow.failures", "workflow.duration"}
_SECRET_NAME = re.compile(r"(password|passwd|token|api[-_]?key|secret[-_]?(access[-_]?)?key|credential)s?$", re.IGNORECASE)
_ONLY_IN_4_1 = {"pendingTimeout"}
_KIND_OF_LEAF = ("container", "script", "containerSet", "resource", "http", "data", "plugin")


@dataclass(frozen=True, slots=True)
class Template:
    """A template and the workflow template it lives in (None for one inside a Workflow)."""

    home: str
    body: Mapping[str, Any]
    spec: Mapping[str, Any]

    @property
    def subject(self) -> str:
        return f"{self.home}/{self.body['name']}"

    @property
    def is_leaf(self) -> bool:
        return any(k in self.body for k in _KIND_OF_LEAF)


@dataclass(frozen=True, slots=True)
class Call:
    """A task or step of a template, and what it calls."""

    caller: Template
    body: Mapping[str, Any]
    callee: Template | None

    @property
    def subject(self) -> str:
        return f"{self.caller.subject}: task {self.body['name']}"


class Library:
    """All WorkflowTemplates of an installation, and the specs that submit them."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self.specs: dict[str, Mapping[str, Any]] = {}
        self.users: dict[str, Mapping[str, Any]] = {}
        for document in documents:
            name = f"{document['kind']}/{_name(document)}"
            if document["kind"] in ("WorkflowTemplate", "ClusterWorkflowTemplate"):
                self.specs[document["metadata"]["name"]] = document["spec"]
            elif document["kind"] == "Workflow":
                self.users[name] = document["spec"]
            elif document["kind"] == "CronWorkflow":
                self.users[name] = document["spec"]["workflowSpec"]

    def templates(self) -> Iterator[Template]:
        for home, spec in {**self.specs, **self.users}.items():
            for body in spec.get("templates", []):
                yield Template(home, body, spec)

    def calls(self) -> Iterator[Call]:
        for template in self.templates():
            for body in tasks_of(template.body):
                yield Call(template, body, self._callee(template, body))

    def _callee(self, caller: Template, task: Mapping[str, Any]) -> Template | None:
        reference = task.get("templateRef")
        home = reference["name"] if reference else caller.home
        name = reference["template"] if reference else task.get("template")
        spec = self.specs.get(home) or self.users.get(home)
        bodies = spec.get("templates", []) if spec else []
        return next((Template(home, b, spec) for b in bodies if b["name"] == name and spec), None)


def tasks_of(template: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    steps = [step for group in template.get("steps", []) for step in group]
    return [*template.get("dag", {}).get("tasks", []), *steps]


def lint(documents: Iterable[Document]) -> list[str]:
    library = Library(documents)
    return [finding for rule in RULES for finding in rule(library)]


# --- names that must resolve ---------------------------------------------------------------------------------------------------------


def entrypoints_exist(library: Library) -> Iterator[str]:
    for home, spec in {**library.specs, **library.users}.items():
        names = {t["name"] for t in spec.get("templates", [])}
        for field in ("entrypoint", "onExit"):
            if spec.get(field) and spec[field] not in names and "workflowTemplateRef" not in spec:
                yield f"{home}: {field} is {spec[field]!r}, and no template is called so"
        reference = spec.get("workflowTemplateRef", {}).get("name")
        if reference and reference not in library.specs:
            yield f"{home}: workflowTemplateRef names {reference!r}, which is not there"


def calls_resolve(library: Library) -> Iterator[str]:
    for call in library.calls():
        if call.callee is None:
            yield f"{call.subject}: calls {call.body.get('templateRef') or call.body.get('template')}, which is not there"


def arguments_match_inputs(library: Library) -> Iterator[str]:
    for call in library.calls():
        if call.callee:
            for kind in ("parameters", "artifacts"):
                given = _names(call.body.get("arguments"), kind)
                declared = _named(call.callee.body.get("inputs"), kind)
                needed = {n for n, d in declared.items() if not _may_be_absent(d)}
                yield from (f"{call.subject}: {kind} has no input {n!r} in {call.callee.subject}" for n in sorted(given - set(declared)))
                yield from (f"{call.subject}: needs {kind[:-1]} {n!r} of {call.callee.subject}" for n in sorted(needed - given))


def submitted_arguments_are_declared(library: Library) -> Iterator[str]:
    for home, spec in library.users.items():
        reference = library.specs.get(spec.get("workflowTemplateRef", {}).get("name", ""))
        if reference:
            declared = _named(reference.get("arguments"), "parameters")
            for name, parameter in _named(spec.get("arguments"), "parameters").items():
                if name not in declared:
                    yield f"{home}: gives parameter {name!r}, which the template does not declare"
                elif parameter.get("value") not in declared[name].get("enum", [parameter.get("value")]):
                    yield f"{home}: parameter {name!r} is {parameter['value']!r}, not one of {declared[name]['enum']}"


def called_templates_find_their_workflow_parameters(library: Library) -> Iterator[str]:
    for call in library.calls():
        if call.callee:
            declared = _names(call.caller.spec.get("arguments"), "parameters")
            for name in _references(call.callee.body):
                if name.startswith("workflow.parameters.") and name.removeprefix("workflow.parameters.") not in declared:
                    yield f"{call.subject}: {call.callee.subject} reads {name}, which {call.caller.home} does not declare"


def tags_resolve(library: Library) -> Iterator[str]:
    callees = {(c.caller.subject, c.body["name"]): c.callee for c in library.calls()}
    for template in library.templates():
        known = _ALWAYS | _own_names(template) | (_ON_A_POD if template.is_leaf else set())
        known |= _AT_THE_END if template.body["name"] == template.spec.get("onExit") else set()
        known |= {n for t in tasks_of(template.body) for n in _outputs_of(t["name"], callees[template.subject, t["name"]])}
        loops = {"item"} if any("withParam" in t or "withItems" in t for t in tasks_of(template.body)) else set()
        for name in _references(template.body):
            if name not in known | loops and not (loops and name.startswith("item.")):
                yield f"{template.subject}: {{{{{name}}}}} resolves to nothing"


def outputs_of_what_may_be_skipped_have_defaults(library: Library) -> Iterator[str]:
    for call in library.calls():
        if "when" in call.body and call.callee:
            used = set(_references(call.caller.body))
            for name, output in _named(call.callee.body.get("outputs"), "parameters").items():
                if f"tasks.{call.body['name']}.outputs.parameters.{name}" in used and "default" not in output.get("valueFrom", {}):
                    yield f"{call.subject}: may be skipped, and its output {name!r} is used without a default"


# --- what is safe to run -------------------------------------------------------------------------------------------------------------


def no_text_is_templated_into_a_script(library: Library) -> Iterator[str]:
    for template in library.templates():
        container = template.body.get("container", {})
        shell = any(str(c).rsplit("/", 1)[-1] in ("sh", "bash", "dash", "ash") for c in container.get("command", []))
        texts = [template.body.get("script", {}).get("source", ""), template.body.get("resource", {}).get("manifest", "")]
        texts += [str(a) for a in container.get("args", []) + container.get("command", [])] if shell or "-c" in container.get("command", []) else []
        if any(_TAG.search(t) for t in texts):
            yield f"{template.subject}: a script or manifest holds {{{{…}}}}: pass the value as an argument, a variable or a file"


def leaves_survive_infrastructure(library: Library) -> Iterator[str]:
    for template in library.templates():
        if template.is_leaf:
            retry = template.body.get("retryStrategy") or {}
            if retry.get("retryPolicy") not in ("Always", "OnError") or "limit" not in retry:
                yield f"{template.subject}: no retryStrategy with a limit that covers Error: a deleted pod ends the run"
            if "expression" not in retry:
                yield f"{template.subject}: retryStrategy has no expression: a wrong configuration is tried again"
            if not template.body.get("activeDeadlineSeconds") and not template.body.get("timeout"):
                yield f"{template.subject}: no deadline"


def leaves_are_restricted(library: Library) -> Iterator[str]:
    for template in library.templates():
        if template.is_leaf:
            container = template.body.get("container") or template.body.get("script") or {}
            yield from (f"{template.subject}: {f}" for f in restricted_pod(template.body.get("securityContext")))
            yield from (f"{template.subject}: {f}" for f in restricted_container(container.get("securityContext")))
            if not container.get("securityContext", {}).get("readOnlyRootFilesystem"):
                yield f"{template.subject}: the root file system can be written"
            if template.body.get("serviceAccountName", "default") == "default":
                yield f"{template.subject}: no service account of its own"


def leaves_state_resources_and_image(library: Library) -> Iterator[str]:
    for template in library.templates():
        container = template.body.get("container")
        if container:
            resources = container.get("resources", {})
            if "memory" not in resources.get("limits", {}) or not {"cpu", "memory"} <= set(resources.get("requests", {})):
                yield f"{template.subject}: requests of cpu and memory and a limit of memory are not all stated"
            if not _is_pinned(container["image"]):
                yield f"{template.subject}: image {container['image']!r} names neither a version nor a digest"
            if not container.get("command"):
                yield f"{template.subject}: no command: Argo would have to look the image up"


def pipelines_end(library: Library) -> Iterator[str]:
    for home, spec in library.specs.items():
        if "entrypoint" in spec:
            for field in ("onExit", "podGC", "ttlStrategy", "activeDeadlineSeconds", "archiveLogs", "serviceAccountName", "securityContext"):
                if not spec.get(field):
                    yield f"{home}: no {field}"
            yield from (f"{home}: podSpecPatch leaves {n!r} unrestricted" for n in ("init", "wait") if n not in spec.get("podSpecPatch", ""))
            for name, parameter in _named(spec.get("arguments"), "parameters").items():
                if not parameter.get("description") or "value" not in parameter:
                    yield f"{home}: parameter {name!r} lacks a description or a default"


def only_shards_fan_out(library: Library) -> Iterator[str]:
    for call in library.calls():
        if "withItems" in call.body or "withSequence" in call.body:
            yield f"{call.subject}: fans out over a fixed list"
        if "withParam" in call.body and not re.fullmatch(r"\{\{tasks\.\w+\.outputs\.parameters\.shards\}\}", call.body["withParam"]):
            yield f"{call.subject}: fans out over {call.body['withParam']}, which is not a list of shards"
        if "withParam" in call.body and call.callee and (call.callee.body.get("outputs") or {}):
            yield f"{call.subject}: each shard carries outputs, which fill the Workflow object"


def nothing_secret_is_written_down(library: Library) -> Iterator[str]:
    for template in library.templates():
        for variable in template.body.get("container", {}).get("env", []):
            if _SECRET_NAME.search(variable["name"]) and "value" in variable:
                yield f"{template.subject}: variable {variable['name']!r} holds its value: use a secretKeyRef"
    for home, spec in {**library.specs, **library.users}.items():
        for name in _names(spec.get("arguments"), "parameters"):
            if _SECRET_NAME.search(name):
                yield f"{home}: parameter {name!r} would show a secret in the Workflow object"


def no_field_is_newer_than_4_0(library: Library) -> Iterator[str]:
    for template in library.templates():
        yield from (f"{template.subject}: {f} needs Argo 4.1" for f in sorted(_ONLY_IN_4_1 & set(template.body)))


RULES: tuple[Callable[[Library], Iterator[str]], ...] = (
    entrypoints_exist,
    calls_resolve,
    arguments_match_inputs,
    submitted_arguments_are_declared,
    called_templates_find_their_workflow_parameters,
    tags_resolve,
    outputs_of_what_may_be_skipped_have_defaults,
    no_text_is_templated_into_a_script,
    leaves_survive_infrastructure,
    leaves_are_restricted,
    leaves_state_resources_and_image,
    pipelines_end,
    only_shards_fan_out,
    nothing_secret_is_written_down,
    no_field_is_newer_than_4_0,
)


# --- Pod Security `restricted`, as the API server judges it ----------------------------------------------------------------------------


def restricted_pod(context: Mapping[str, Any] | None) -> Iterator[str]:
    context = context or {}
    if not context.get("runAsNonRoot") or context.get("runAsUser", 1) == 0:
        yield "the pod may run as root"
    if context.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "the pod has no seccomp profile"


def restricted_container(context: Mapping[str, Any] | None) -> Iterator[str]:
    context = context or {}
    if context.get("allowPrivilegeEscalation") is not False:
        yield "a container may gain privileges"
    if "ALL" not in context.get("capabilities", {}).get("drop", []):
        yield "a container keeps capabilities"
    if context.get("privileged") or context.get("runAsUser", 1) == 0:
        yield "a container is privileged"


# --- reading ---------------------------------------------------------------------------------------------------------------------------


def _name(document: Document) -> str:
    return str(document["metadata"].get("name") or document["metadata"].get("generateName"))


def _named(holder: Mapping[str, Any] | None, kind: str) -> dict[str, Mapping[str, Any]]:
    return {p["name"]: p for p in (holder or {}).get(kind, [])}


def _names(holder: Mapping[str, Any] | None, kind: str) -> set[str]:
    return set(_named(holder, kind))


def _may_be_absent(declared: Mapping[str, Any]) -> bool:
    sources = ("value", "default", "valueFrom", "raw", "s3", "http", "git")
    return bool(declared.get("optional")) or any(s in declared for s in sources)


def _references(body: Any) -> Iterator[str]:
    """Names inside {{…}} and {{=…}}, the latter brought to dotted form."""
    for is_expression, inner in _TAG.findall(json.dumps(body, ensure_ascii=False)):
        if is_expression:
            for root, path in _EXPRESSION_NAME.findall(inner):
                yield root + re.sub(r"\['([\w-]+)'\]", r".\1", path)
        else:
            yield inner.strip()


def _own_names(template: Template) -> set[str]:
    body, spec = template.body, template.spec
    names = {f"workflow.parameters.{n}" for n in _names(spec.get("arguments"), "parameters")}
    names |= {f"inputs.parameters.{n}" for n in _names(body.get("inputs"), "parameters")}
    return names | {f"inputs.artifacts.{n}.path" for n in _names(body.get("inputs"), "artifacts")}


def _outputs_of(task: str, callee: Template | None) -> set[str]:
    if callee is None:
        return set()
    names = {f"outputs.{kind}.{n}" for kind in ("parameters", "artifacts") for n in _names(callee.body.get("outputs"), kind)}
    return {f"tasks.{task}.{n}" for n in names | {"status", "outputs.result", "outputs.exitCode"}}


def _is_pinned(image: str) -> bool:
    name, _, tag = image.rpartition("/")[2].partition(":")
    return "@sha256:" in image or (bool(name) and tag not in ("", "latest"))
