"""Argo CD's core as processes of this machine, against the cluster of the tests: repo server, controllers of Applications and sets, their Redis."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from conftest import CACHE, Cluster

SOURCE = CACHE / "src/argocd-3.6.1"
PROJECT = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "default", "namespace": "argocd"},
    "spec": {
        "sourceRepos": ["*"],
        "destinations": [{"namespace": "*", "server": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    },
}
HERE = ("--redis", "127.0.0.1:6379")


def until(what: str, holds: Callable[[], bool], within_s: float = 300) -> None:
    end = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end:
            pytest.fail(f"{what}: not within {within_s:.0f} s")
        time.sleep(1)


@contextmanager
def running(cluster: Cluster, folder: Path) -> Iterator[None]:
    """Needs the binaries argocd, kustomize and redis-server; the test is skipped where one is missing."""
    for name in ("argocd", "kustomize", "redis-server", "git"):
        if not shutil.which(name, path=cluster.environment["PATH"]):
            pytest.skip(f"{name} is not on this machine: tests/e2e/cluster/build.sh argocd kustomize; apt-get install redis-server git")
    cluster.kubectl("apply", "--server-side", "-k", str(SOURCE / "manifests/crds"))
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(namespace))
    cluster.kubectl("apply", "-n", "argocd", "-k", str(SOURCE / "manifests/base/config"))
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(PROJECT))
    environment = prepared(cluster, folder)
    kubeconfig = environment["KUBECONFIG"]
    repo_server = (
        "--address",
        "127.0.0.1",
        "--metrics-address",
        "127.0.0.1",
        "--disable-tls",
        "--client-ca-path=",
        "--revision-cache-expiration",
        "1s",
    )
    controller = ("--kubeconfig", kubeconfig, "-n", "argocd", "--repo-server", "127.0.0.1:8081", "--repo-server-plaintext")
    places = ("--metrics-addr", "127.0.0.1:8092", "--probe-addr", "127.0.0.1:8093", "--webhook-addr", "127.0.0.1:8094")
    sets = ("--kubeconfig", kubeconfig, "-n", "argocd", "--argocd-repo-server", "127.0.0.1:8081", "--repo-server-plaintext", *places)
    commands = {
        "redis": ("redis-server", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)),
        "repo-server": ("argocd-repo-server", *repo_server, *HERE),
        "controller": ("argocd-application-controller", *controller, *HERE, "--app-resync", "2", "--app-resync-jitter", "0"),
        "sets": ("argocd-applicationset-controller", *sets),
    }
    with ExitStack() as stack:
        for name, command in commands.items():
            log = stack.enter_context((folder / f"{name}.log").open("w"))
            words = [*cluster.enter, *command]
            process = stack.enter_context(subprocess.Popen(words, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=folder))
            stack.callback(process.kill)
            if name == "repo-server":
                until("the repo server listens", lambda: answers(cluster, 8081), 120)
        yield


def answers(cluster: Cluster, port: int) -> bool:
    return "Error" not in cluster.run(sys.executable, "-c", f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)", check=False)


def prepared(cluster: Cluster, folder: Path) -> dict[str, str]:
    """Environment and folders as Argo CD wants them: its parts are one binary under several names."""
    names = folder / "bin"
    names.mkdir()
    binary = shutil.which("argocd", path=cluster.environment["PATH"])
    for part in ("application-controller", "applicationset-controller", "repo-server"):
        (names / f"argocd-{part}").symlink_to(str(binary))
    (names / "git-verify-wrapper.sh").symlink_to(SOURCE / "hack/git-verify-wrapper.sh")
    (SOURCE / "hack/git-verify-wrapper.sh").chmod(0o755)
    folders = {}
    for name in ("GNUPGHOME", "GPG_DATA_PATH", "TLS_DATA_PATH", "SSH_DATA_PATH", "PLUGINSOCKFILEPATH"):
        (folder / name).mkdir(mode=0o700)
        folders[f"ARGOCD_{name}"] = str(folder / name)
    switches = {"ARGOCD_FAKE_IN_CLUSTER": "true", "ARGOCD_SYNC_WAVE_DELAY": "0", "ARGOCD_GPG_ENABLED": "false"}
    git = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    return {**cluster.environment, **folders, **switches, **git, "PATH": f"{names}{os.pathsep}{cluster.environment['PATH']}"}
