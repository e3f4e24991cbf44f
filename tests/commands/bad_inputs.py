"""What careless people type, verb by verb: the arguments, the exit code, and words that the one line must hold.

`@name` is a file or folder of the world in conftest.py; `@new` a path where nothing is; `@to` a place to write; AWAY, GOOD … are servers.
"""

TO = ("--to", "@to")
AGENT = "simulation.agent."
LIB = ("LIBRARY",)
DESK = ("run", "--out", "@new", "--set", "domains.names=[library]")


def settings(*verb, tail=(), out=("--out", "@new")):
    """Bad settings, which every verb with settings meets in the same way."""
    head = (*verb, *out)
    return [
        ((*head, *tail, "--config", "@nowhere.yaml"), 2, "nowhere.yaml", "name an existing YAML file"),
        ((*head, *tail, "--config", "@folder"), 2, "folder", "directory"),
        ((*head, *tail, "--config", "@latin"), 2, "latin", "UTF-8"),
        ((*head, *tail, "--config", "@list"), 2, "list", "keys and values"),
        ((*head, *tail, "--config", "@unclosed"), 2, "unclosed", "YAML"),
        ((*head, *tail, "--config", "@badkey"), 2, "dataset.cuont", "dataset.count"),
        ((*head, *tail, "--config", "@badtype"), 2, "dataset.count", "'many'"),
        ((*head, *tail, "--set", "dataset.count=0"), 2, "dataset.count", "greater than or equal to 1"),
        ((*head, *tail, "--set", "count"), 2, "no '='"),
        ((*head, *tail, "--set", "domains.names=[bakery]"), 2, "bakery", "retail"),
        ((*head, *tail, *LIB, "--domain-data", "@nowhere"), 2, "nowhere", "--domain-data"),
        ((*head, *tail, *LIB, "--domain-data", "@data-torn"), 3, "db.json"),
        ((*head, *tail, "--no-such-option"), 2, "--no-such-option", "--help"),
        ((*head, *tail, "surplus"), 2, "surplus", "--help"),
    ]


def data(*verb, tail=(), out=("--out", "@new")):
    """Bad files of a domain."""
    head = (*verb, *out, *LIB)
    return [
        ((*head, *tail, "--domain-data", f"@{name}"), code, *words)
        for name, code, *words in (
            ("data-shape", 3, "db.json"),
            ("data-empty", 3, "db.json"),
            ("data-record", 3, "library"),
            ("data-latin", 3, "policy.md", "UTF-8"),
            ("data-tools", 3, "tools.json"),
            ("data-tasks", 3, "tasks.json"),
            ("data-folder", 2, "db.json", "directory"),
            ("data-absent", 2, "tools.json"),
            ("empty", 2, "empty"),
        )
    ]


def stores(*verb, tail=()):
    """Bad stores."""
    return [
        ((*verb, *tail, "--out", "s4://bucket"), 2, "s4", "s3://"),
        ((*verb, *tail, "--out", "@empty"), 2, "empty", "--out"),
        ((*verb, *tail, "--out", "@torn"), 3, "delete"),
        ((*verb, *tail, "--out", "@older"), 3, "schema version 99"),
        ((*verb, *tail, "--out", "@altered"), 3, "altered"),
    ]


def runs(*verb, tail=()):
    """Bad runs, for verbs that read one."""
    return [
        ((*verb, "zzz", *tail, "--out", "@store"), 3, "zzz", "name one of"),
        ((*verb, "zzz", *tail, "--out", "@new"), 3, "writ run"),
        ((*verb, "", *tail, "--out", "@two"), 3, "2 runs"),
        ((*verb, "RUN", *tail, "--out", "@begun"), 3, "unfinished", "writ run"),
        ((*verb, "RUN", *tail, "--out", "@torn"), 3, "delete"),
        ((*verb, "RUN", *tail, "--out", "@missing-part"), 3, "missing"),
        ((*verb, "RUN", *tail, "--out", "@older"), 3, "schema version 99"),
        ((*verb, "RUN", *tail, "--out", "@bad-run"), 3, "is not a run"),
        ((*verb, "RUN", *tail, "--out", "@empty"), 2, "empty"),
        ((*verb, "RUN", *tail, "--out", "s4://b"), 2, "s4"),
        ((*verb, "RUN", *tail, "--config", "@nowhere.yaml"), 2, "nowhere.yaml"),
        ((*verb, "RUN", *tail, "--config", "@latin"), 2, "UTF-8"),
    ]


def models(*verb, tail=()):
    """Endpoints that cannot serve."""
    head = (*verb, *tail, "--out", "@new", *LIB)
    own = ("--set", f"{AGENT}model=the-model", "--set", f"{AGENT}ready_within_s=0")
    return [
        ((*head, *own, "--set", f"{AGENT}base_url=AWAY"), 75, "127.0.0.1:9", "start it"),
        ((*head, *own, "--set", f"{AGENT}base_url=GOOD", "--set", f"{AGENT}model=wrong"), 2, "wrong", "the-model"),
        ((*head, *own, "--set", f"{AGENT}base_url=LOCKED"), 2, "401", "key"),
        ((*head, *own, "--set", f"{AGENT}base_url=WORDY"), 2, "tool-call-parser"),
        ((*head, *own, "--set", f"{AGENT}base_url=nonsense"), 2, "nonsense", "http://"),
        ((*head, *own), 2, "the-model", "base_url"),
        ((*head, *own, "--set", f"{AGENT}base_url=GOOD", "--set", f"{AGENT}api_key_env=WRIT_NO_SUCH_KEY"), 2, "WRIT_NO_SUCH_KEY", "export"),
    ]


BAD = {
    "run": [
        *settings("run", "--plain"),
        *data("run", "--plain"),
        *stores("run", "--plain", tail=LIB),
        *models("run", "--plain"),
        (("run", "--out", "@new", *LIB, "--set", "simulation.faults={no_such_fault: 0.5}"), 2, "no_such_fault", "wrong_argument"),
        (("run", "--out", "@new", *LIB, "--set", "simulation.faults={wrong_argument: 2}"), 2, "wrong_argument"),
        (("run", "--out", "/sys/writ", *LIB), 2, "/sys/writ", "--out"),
        (("run", "--out", "@full", *LIB), 75, "space"),
        (("run", "--out", "@new", "--set", "domains.names=[]"), 2, "domains.names"),
        ((*DESK, "--set", "domains.code={library: @not-a-domain}"), 2, "domain.py"),
        (
            ("run", "--out", "@new", "--set", "domains.code={library: @broken-domain}", "--set", "domains.names=[library]"),
            2,
            "no_such_package_at_all",
        ),
        (("run", "--out", "@new", "--set", "domains.code={library: @syntax-domain}", "--set", "domains.names=[library]"), 2, "domain.py"),
        (("run", "--out", "@new", "--set", "verification.required=[no_such_check]"), 2, "no_such_check"),
        (("run", "--out", "@new", *LIB, "--set", "tasks.mix={fun: 1}"), 2, "tasks.mix"),
        (("run", "--out", "@new", *LIB, "--set", "dataset.min_kept_share=1", "--set", "simulation.faults={wrong_argument: 1}"), 3, "min_kept_share"),
    ],
    "plan": [
        *(case for case in settings("plan") if "@data-torn" not in case[0]),
        (("plan", *LIB, "--out", "s4://bucket"), 2, "s4", "s3://"),
        (("plan", *LIB, "--out", "@empty"), 2, "empty", "--out"),
        (("plan", *LIB, "--out", "@older"), 3, "schema version 99"),
        (("plan", *LIB, "--out", "@altered"), 3, "altered"),
        (("plan", *LIB, "--domain-data", "@data-folder"), 2, "db.json", "directory"),
        (("plan", *LIB, "--domain-data", "@data-absent"), 2, "tools.json"),
        (("plan", *LIB, "--set", "verification.required=[no_such_check]"), 2, "no_such_check"),
    ],
    "ablate": [
        *(case for case in settings("ablate", tail=TO) if "LIBRARY" not in case[0] and "domains.names=[bakery]" not in case[0]),
    ],
    "completion": [
        (("completion",), 2, "bash"),
        (("completion", "tcsh"), 2, "tcsh", "fish"),
        (("completion", "bash", "surplus"), 2, "surplus"),
        (("completion", "--no-such-option"), 2, "--no-such-option"),
        (("completion", "BASH"), 2, "BASH", "bash"),
        (("completion", ""), 2, "zsh"),
        (("completion", "powershell"), 2, "powershell", "fish"),
        (("completion", "/bin/bash"), 2, "/bin/bash", "bash"),
        (("completion", "bash", "--help-me"), 2, "--help-me"),
        (("completion", "bash", "fish"), 2, "fish"),
    ],
    "stages": [
        (("stages", "--no-such-option"), 2, "--no-such-option", "--help"),
        (("stages", "surplus"), 2, "surplus"),
        (("stages", "--checks=1"), 2, "--checks"),
        (("stages", "--checks", "surplus"), 2, "surplus"),
        (("stages", "--check"), 2, "--check", "--checks"),
        (("stages", "-c"), 2, "-c"),
        (("stages", "--config", "@list"), 2, "--config"),
        (("stages", "--out", "@store"), 2, "--out"),
        (("stages", "--set", "seed=1"), 2, "--set"),
        (("stages", "verify"), 2, "verify"),
    ],
    "stage": [
        *settings("stage", "domain"),
        *(case for case in data("stage", "domain") if "@data-record" not in case[0]),
        *stores("stage", "instructions", tail=(*LIB, "--set", "instructions.per_task=2")),
        (("stage",), 2, "domain", "report"),
        (("stage", "bake"), 2, "bake", "simulate"),
        (("stage", "verify", "--out", "@new", *LIB), 3, "writ stage"),
        (("stage", "simulate", "--out", "@new", *LIB, "--shard", "3", "--shards", "2"), 2, "shard"),
        (("stage", "tasks", "--out", "@new", *LIB, "--shards", "2"), 2, "simulate"),
        (("stage", "simulate", "--out", "@new", *LIB, "--shards", "none"), 2, "none"),
        (("stage", "simulate", "--out", "@new", *LIB, "--join", "--shards", "2"), 3, "shard 0 of 2"),
        (("stage", "tasks", "--out", "@new", *LIB, "--join"), 2, "simulate"),
        (
            ("stage", "report", "--out", "@no-certificate", *LIB),
            0,
        ),
        (("stage", "dataset", "--out", "/sys/writ", *LIB), 3, "unfinished"),
        (("stage", "domain", "--out", "/sys/writ", *LIB), 2, "/sys/writ", "--out"),
    ],
    "pod": [
        (("pod",), 2, "plan"),
        (("pod", "bake", "--out", "@new"), 2, "bake"),
        (("pod", "plan"), 2, "--out"),
        (("pod", "plan", "--out", "s4://b"), 2, "s4"),
        (("pod", "plan", "--out", "@new", "--config-text", "seed: ["), 2, "YAML"),
        (("pod", "plan", "--out", "@new", "--config-text", "hello"), 2, "keys and values"),
        (("pod", "plan", "--out", "@new", "--config-text", "{cuont: 3}"), 2, "cuont"),
        (("pod", "plan", "--out", "@new", "--config-text", "{seed: x}"), 2, "seed"),
        (("pod", "plan", "--out", "@new", "--platform", "@latin"), 2, "latin", "UTF-8"),
        (("pod", "plan", "--out", "@new", "--platform", "@list"), 2, "list"),
        (("pod", "plan", "--out", "@new", "--platform", "@folder"), 2, "folder"),
        (("pod", "plan", "--out", "@new", "--outputs", "@empty"), 2, "empty"),
        (("pod", "plan", "--out", "/sys/writ"), 2, "/sys/writ"),
        (("pod", "simulate", "--out", "@new", "--shard", "9"), 2, "--shards"),
        (("pod", "simulate", "--out", "@new", "--shards", "300"), 2, "256"),
        (("pod", "verify", "--out", "@new", "--config-text", "CONFIG"), 3, "unfinished"),
        (("pod", "report", "--out", "@new", "--config-text", "CONFIG"), 3, "unfinished"),
    ],
    "domain": [
        (("domain", "bake"), 2, "bake"),
        (("domain", "list", "surplus"), 2, "surplus"),
        *(
            case
            for verb in ("show", "check")
            for case in (
                (("domain", verb), 2, "NAME"),
                (("domain", verb, "bakery"), 2, "bakery", "retail"),
                (("domain", verb, "@nowhere"), 2, "nowhere", "domain.py"),
                (("domain", verb, "@not-a-domain"), 2, "domain.py"),
                (("domain", verb, "@empty-domain"), 2, "exactly one"),
                (("domain", verb, "@broken-domain"), 2, "no_such_package_at_all"),
                (("domain", verb, "@syntax-domain"), 2, "domain.py"),
                (("domain", verb, "json"), 2, "json"),
                (("domain", verb, "retail", "--domain-data", "@nowhere"), 2, "nowhere"),
                (("domain", verb, "DESK", "--domain-data", "@data-torn"), 3, "db.json"),
                (("domain", verb, "DESK", "--domain-data", "@data-shape"), 3, "db.json"),
                (("domain", verb, "DESK", "--domain-data", "@data-record"), 3, "library"),
                (("domain", verb, "DESK", "--domain-data", "@data-latin"), 3, "policy.md"),
                (("domain", verb, "DESK", "--domain-data", "@data-tools"), 3, "tools.json"),
                (("domain", verb, "DESK", "--domain-data", "@empty"), 2, "empty"),
            )
        ),
        (("domain", "replay", "DESK"), 2, "FILE"),
        (("domain", "replay", "DESK", "@nowhere"), 2, "nowhere", "JSON lines"),
        (("domain", "replay", "DESK", "@folder"), 2, "folder"),
        (("domain", "replay", "DESK", "@torn.jsonl"), 3, "line 2"),
        (("domain", "replay", "DESK", "@strange.jsonl"), 3, "line 1"),
        (("domain", "replay", "DESK", "@prose.jsonl"), 3, "line 1"),
        (("domain", "replay", "DESK", "@binary"), 3, "line 1"),
        (("domain", "replay", "DESK", "@list"), 3, "line 1"),
        (("domain", "replay", "bakery", "@torn.jsonl"), 2, "bakery"),
        (("domain", "replay", "DESK", "@torn.jsonl", "--domain-data", "@data-torn"), 3, "db.json"),
        (("domain", "replay", "DESK", "@torn.jsonl", "--domain-data", "@nowhere"), 2, "nowhere"),
        (("domain", "replay", "DESK", "@empty"), 0),
    ],
    "tasks": [
        (("tasks", "bake"), 2, "bake"),
        *settings("tasks", "capacity", out=()),
        *data("tasks", "capacity", out=()),
        *settings("tasks", "export", tail=TO, out=()),
        *data("tasks", "export", tail=TO, out=()),
        (("tasks", "export"), 2, "--to"),
        (("tasks", "export", *TO, "--format", "xml"), 2, "xml", "tau2"),
        (("tasks", "export", *LIB, "--to", "@folder"), 2, "folder"),
        (("tasks", "export", *LIB, "--to", "@nowhere/file"), 2, "nowhere"),
        (("tasks", "export", *LIB, "--to", "/dev/full"), 75, "/dev/full", "space"),
        (("tasks", "export", *LIB, "--to", "/sys/tasks.jsonl"), 2, "/sys/tasks.jsonl"),
    ],
    "model": [
        (("model", "bake"), 2, "bake"),
        (("model", "serve", "--domain", "DOMAIN"), 2, "--instructions"),
        (("model", "serve", "--out", "@new", "--domain", "aa", "--instructions", "bb"), 3, "domain/aa", "writ plan"),
        (("model", "serve", "--out", "@store", "--domain", "../x", "--instructions", "bb"), 2, "../x"),
        (("model", "serve", "--out", "@store", "--domain", "DOMAIN", "--instructions", "bb"), 3, "instructions/bb"),
        (("model", "serve", "--out", "@torn", "--domain", "DOMAIN", "--instructions", "INSTRUCTIONS"), 3, "delete"),
        (("model", "serve", "--out", "@older", "--domain", "DOMAIN", "--instructions", "INSTRUCTIONS"), 3, "schema version 99"),
        (("model", "serve", "--out", "s4://b", "--domain", "DOMAIN", "--instructions", "INSTRUCTIONS"), 2, "s4"),
        *(
            (("model", "serve", "--out", "@store", "--domain", "DOMAIN", "--instructions", "INSTRUCTIONS", *more), code, *words)
            for *more, code, words in (
                ("--port", "none", 2, ("none",)),
                ("--port", "70000", 2, ("70000",)),
                ("--port", "TAKEN", 75, ("--port",)),
                ("--host", "no.such.host.invalid", 2, ("no.such.host.invalid",)),
                ("--fault", "wrong_argument", 2, ("wrong_argument",)),
                ("--fault", "no_such=0.1", 2, ("no_such",)),
                ("--fault", "wrong_argument=3", 2, ("wrong_argument",)),
                ("--s3", "{", 2, ("--s3",)),
                ("--s3", '{"regoin": "x"}', 2, ("regoin",)),
            )
        ),
    ],
    "report": [
        *runs("report"),
        (("report",), 2, "RUN"),
        (("report", "a", "b", "c"), 2, "3 runs"),
        (("report", "RUN", "--out", "@store", "--to", "@folder"), 2, "folder"),
        (("report", "RUN", "--out", "@store", "--to", "@nowhere/page.html"), 2, "nowhere"),
        (("report", "RUN", "--out", "@store", "--to", "/dev/full"), 75, "/dev/full", "space"),
        (("report", "RUN", "--out", "@store", "--to", "/sys/page.html"), 2, "/sys/page.html"),
        (("report", "RUN", "--out", "@no-certificate"), 3, "decontamination.json"),
        (("report", "RUN", "--out", "@other-run"), 0),
    ],
    "show": [
        *(case for case in runs("show") if case[0][1]),
        (("show", "conversation-ffff", "--out", "@store"), 3, "conversation-ffff"),
        (("show", "library-ffff", "--out", "@store"), 3, "library-ffff"),
        (("show", "conversation-", "--out", "@torn"), 3, "delete"),
        (("show", "conversation-", "--out", "@begun"), 3, "conversation-"),
        (("show", "a", "b"), 2, "b"),
        (("show", "--out", "@bad-run"), 3, "is not a run"),
        (("show", "--out", "@empty"), 2, "empty"),
    ],
    "doctor": [
        *settings("doctor"),
        *data("doctor"),
        *models("doctor", "--wait", "1"),
        (("doctor", *LIB, "--out", "@empty"), 2, "empty"),
        (("doctor", *LIB, "--out", "/sys/writ"), 2, "/sys/writ"),
        (("doctor", *LIB, "--out", "@full"), 75, "space"),
        (("doctor", *LIB, "--wait", "none"), 2, "none"),
    ],
    "train": [
        *(case for case in settings("train", tail=TO) if "LIBRARY" not in case[0] and "domains.names=[bakery]" not in case[0]),
        (("train", "--out", "@store", "--run", "zzz"), 3, "zzz", "name one of"),
        (("train", "--out", "@new"), 3, "holds no run", "writ run"),
        (("train", "--out", "@two"), 3, "2 runs"),
        (("train", "--out", "@bad-run"), 3, "is not a run"),
        (("train", "--out", "@empty"), 2, "empty", "--out"),
    ],
    "evaluate": [
        *settings("evaluate", "--plain"),
        *models("evaluate", "--plain")[1:3],
        (("evaluate", "--out", "@new", *LIB, "--benchmark", "@nowhere"), 2, "nowhere"),
        (("evaluate", "--out", "@new", *LIB, "--submission", "@to"), 2, "--benchmark DIR"),
        (("evaluate", "--out", "@new", *LIB, "--benchmark", "@data"), 2, "split_tasks.json"),
        (("evaluate", "--out", "@new", *LIB, "--benchmark", "@data-splits"), 2, "split_tasks.json"),
        (("evaluate", "--out", "@new", *LIB, "--model", "tuned"), 2, "NAME=URL"),
        (("evaluate", "--out", "@new", *LIB, "--model", "tuned=AWAY", "--set", f"{AGENT}ready_within_s=0"), 75, "127.0.0.1:9"),
        (("evaluate", "--out", "@new", *LIB, "--to", "@folder"), 2, "folder"),
        (("evaluate", "--out", "@new", *LIB, "--to", "@nowhere/x.json"), 2, "nowhere"),
    ],
    "submit": [
        *(case for case in settings("submit", out=("--out", "s3://bucket/writ")) if "--domain-data" not in case[0]),
        (("submit", *LIB, "--out", "s3://bucket/w"), 2, "domains.code", "images"),
        (("submit", "--out", "s3://bucket/w", "--domain-data", "@data"), 2, "domains.data", "domains.artifact"),
        (("submit", "--out", "@new"), 2, "s3://"),
        (("submit", "--out", "s3://"), 2, "bucket"),
        (("submit", "--out", "s3://bucket/w", "--shards", "0"), 2, "--shards"),
        (("submit", "--out", "s3://bucket/w", "--shards", "300"), 2, "256"),
    ],
    **{
        verb: [
            ((verb, *run), 2, "KUBECONFIG"),
            ((verb, *run, "--config", "@nowhere.yaml"), 2, "nowhere.yaml", "name an existing YAML file"),
            ((verb, *run, "--config", "@latin"), 2, "latin", "UTF-8"),
            ((verb, *run, "--config", "@list"), 2, "list", "keys and values"),
            ((verb, *run, "--config", "@badkey"), 2, "dataset.cuont", "dataset.count"),
            ((verb, *run, "--config", "@unclosed"), 2, "unclosed", "YAML"),
            ((verb, *run, "--server", "argo.example.org"), 2, "argo.example.org", "https://"),
            ((verb, *run, "--server", "https://argo.example.org"), 2, "namespace", "-n"),
            ((verb, *run, "--server", "https://argo.example.org", "-n", "a"), 2, "ARGO_TOKEN", "export it"),
            ((verb, *run, "--context", "no-such-context"), 2, "KUBECONFIG"),
            ((verb, *run, "-n"), 2, "-n"),
            ((verb, *run, "--no-such-option"), 2, "--no-such-option"),
            ((verb, *run, "surplus"), 2, "surplus"),
            ((verb, *run, "--shards", "3"), 2, "--shards"),
            ((verb, *run, "-n", "Not A Name"), 2, "KUBECONFIG"),
        ]
        for verb, run in (("watch", ("2b563d",)), ("logs", ("2b563d",)), ("cancel", ("2b563d",)), ("runs", ()))
    },
    "verify": [
        (("verify",), 2, "FILE"),
        (("verify", "@torn.jsonl"), 2, "--domain"),
        (("verify", "@nowhere", "--domain", "DESK"), 2, "nowhere"),
        (("verify", "@folder", "--domain", "DESK"), 2, "folder"),
        (("verify", "@binary", "--domain", "DESK"), 2, "binary"),
        (("verify", "@empty", "--domain", "DESK"), 3, "empty"),
        (("verify", "@torn.jsonl", "--domain", "DESK"), 3, "line 1"),
        (("verify", "@strange.jsonl", "--domain", "DESK"), 3, "strange.jsonl", "no 'messages'"),
        (("verify", "@prose.jsonl", "--domain", "DESK"), 3, "line 1"),
        (("verify", "@list", "--domain", "DESK"), 3, "line 1"),
        (("verify", "@torn.jsonl", "--domain", "bakery"), 2, "bakery"),
        (("verify", "@torn.jsonl", "--domain", "DESK", "--domain-data", "@nowhere"), 2, "nowhere"),
        (("verify", "@torn.jsonl", "--domain", "DESK", "--domain-data", "@data-torn"), 3, "db.json"),
        (("verify", "@good.jsonl", "--domain", "DESK", "--to", "@folder"), 2, "folder"),
        (("verify", "@good.jsonl", "--domain", "DESK", "--to", "/dev/full"), 75, "/dev/full"),
        (("verify", "@results.json", "--domain", "DESK"), 3, "simulation 0"),
    ],
}
