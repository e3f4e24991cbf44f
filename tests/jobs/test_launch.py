"""A training in a pod of its own, followed to its end: over a port whose cluster is a list of what it will show."""

import pytest

from writ.errors import ArtifactError, ConfigError, Unavailable, WritError
from writ.jobs.launch import SPEC_NOTE, LastWords, LaunchConfig, Seen, follow, training_job


class Shown:
    """A cluster that shows its states one by one, the last for ever; it remembers what is there."""

    def __init__(self, *states, there=(), words=None):
        self.states, self.there, self.words, self.removed = list(states), {job.name: job for job in there}, words, []

    def start(self, job):
        if job.name in self.there:
            if self.there[job.name].spec_hash != job.spec_hash:
                raise ConfigError("another specification")
            return False
        self.there[job.name] = job
        return True

    def look(self, job):
        seen = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(seen, Exception):
            raise seen
        return seen if isinstance(seen, Seen) else Seen(seen)

    def last_words(self, job):
        return self.words

    def remove(self, job):
        self.removed.append(job.name)
        self.there.pop(job.name, None)


class Clock:
    def __init__(self):
        self.time = 0.0

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.time += seconds


def job(**fields):
    return training_job(LaunchConfig(**fields), "writ-train-abc", ["writ", "pod", "train"], 1, {"writ/run-id": "r"})


def followed(cluster, made=None, wait_s=60):
    said, clock = [], Clock()
    follow(cluster, made or job(), said.append, wait_s=wait_s, now_s=clock.now, sleep=clock.sleep)
    return said


def test_a_training_is_created_and_followed_through_its_states_to_the_end():
    said = followed(Shown("waiting", "running", "running", "done"))
    assert said == ["writ-train-abc: created as jobs", "writ-train-abc: running", "writ-train-abc: done"]


def test_a_launcher_that_comes_after_another_was_killed_adopts_the_training():
    cluster = Shown("running", "running", "done", there=[job()])
    assert followed(cluster)[0] == "writ-train-abc: adopted, running"


def test_one_of_another_specification_is_not_taken_for_ours():
    with pytest.raises(ConfigError, match="another specification"):
        followed(Shown("running", there=[job(memory="1Gi")]))


def test_what_failed_in_an_earlier_life_is_begun_again():
    cluster = Shown("failed", "running", "done", there=[job()])
    assert "begun again" in followed(cluster)[0]
    assert cluster.removed == ["writ-train-abc"]


@pytest.mark.parametrize(
    ("code", "kind", "status"), [(1, WritError, 1), (2, ConfigError, 2), (3, ArtifactError, 3), (137, Unavailable, 75), (None, Unavailable, 75)]
)
def test_a_failed_training_brings_its_last_lines_and_its_kind_of_error_home(code, kind, status):
    cluster = Shown("running", Seen("failed", "BackoffLimitExceeded"), words=LastWords(code, ("one", "ConfigError: no such model")))
    said = []
    with pytest.raises(kind, match="no such model") as raised:
        follow(cluster, job(), said.append, wait_s=60, now_s=Clock().now, sleep=Clock().sleep)
    assert raised.value.exit_code == status
    assert said[-2:] == ["  one", "  ConfigError: no such model"]


def test_a_pod_that_never_gets_its_gpu_ends_the_launch_in_time_and_leaves_nothing():
    cluster = Shown(Seen("waiting", "Unschedulable: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu."))
    with pytest.raises(ConfigError, match=r"within 60 s \(Unschedulable.*Insufficient nvidia.com/gpu"):
        followed(cluster)
    assert cluster.there == {}


def test_time_in_a_queue_is_not_counted_as_waiting_for_a_pod():
    said = followed(Shown(*["suspended"] * 50, "waiting", "running", "done"))
    assert said[-1] == "writ-train-abc: done"


def test_an_api_server_that_is_away_for_a_while_does_not_end_the_launch():
    said = followed(Shown("running", "running", Unavailable("no answer"), "done"))
    assert [line for line in said if "no answer" in line]


def test_a_training_that_somebody_deleted_is_worth_another_try():
    with pytest.raises(Unavailable, match="deleted"):
        followed(Shown("running", "gone"))


@pytest.mark.parametrize("kind", ["job", "jobset", "trainjob"])
def test_every_kind_asks_for_its_devices_and_is_told_apart_by_its_specification(kind):
    one, two = (training_job(LaunchConfig(kind=kind), "n", ["writ"], devices, {"a": "b"}) for devices in (1, 2))
    assert one.spec_hash != two.spec_hash
    assert "'nvidia.com/gpu': '2'" in str(two.body)
    assert "ttlSecondsAfterFinished" not in str(one.body)
    assert one.body["metadata"]["annotations"][SPEC_NOTE] == one.spec_hash
    assert one.spec_hash == training_job(LaunchConfig(kind=kind), "n", ["writ"], 1, {"a": "c"}).spec_hash, "labels do not tell apart"
