"""A search whose workers are actors of a Ray cluster."""

import http.server
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis import load_study
from nas.trial import Job
from search_space.errors import UserError

pytest.importorskip("ray")

from nas.workers.ray import RayWorkers

Arguments = Callable[..., list[str]]


@pytest.fixture
def web_server() -> Iterator[str]:
    """The address of something that listens and is no Ray cluster, as its dashboard would be."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nonsense", "'nonsense': auto, HOST:PORT of the head, or ray://HOST:PORT"),
        ("http://somewhere:80", "auto, HOST:PORT of the head"),
        ("somewhere:port", "auto, HOST:PORT of the head"),
        ("nowhere.invalid:6379", "no Ray cluster answers at 'nowhere.invalid:6379'"),
        ("127.0.0.1:1", "no Ray cluster answers at '127.0.0.1:1': Connection refused"),
        ("ray://127.0.0.1:1", "Connection refused"),
        ("web server", "is not the head of a cluster"),
    ],
)
def test_a_wrong_address_is_one_line(address: str, said: str, web_server: str) -> None:
    job = Job(Path("material.safetensors"), None, "tiny", {"description": "none"})
    with pytest.raises(UserError) as error:
        RayWorkers(web_server if address == "web server" else address, job)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


CLIENT = "ray://127.0.0.1:25001"


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Three nodes on this machine: a head that trains nothing and two of a CPU each."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "ray_client_server_port": 25001}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        cluster.add_node(num_cpus=1)
        yield cluster
    finally:
        cluster.shutdown()


@pytest.mark.slow
def test_a_lost_node_loses_no_trial(in_small: Arguments, cluster: Any) -> None:
    lost = cluster.add_node(num_cpus=1)
    command = [sys.executable, "-m", "nas", *in_small("--out", "run", "--budget", "12")]
    paths = os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
    with Path("said").open("wb") as said:
        search = subprocess.Popen(
            [*command, "--ray", cluster.address],
            stdout=said,
            stderr=said,
            env=os.environ | {"PYTHONPATH": paths},
        )
    try:
        while trained() < 4 and search.poll() is None:
            time.sleep(0.2)
        cluster.remove_node(lost)
        assert search.wait() == 0, Path("said").read_text()
    finally:
        search.kill()
    study = load_study("run")
    assert (study["outcome"] == "trained").sum() == 12
    assert not (study["state"] == "RUNNING").any()
    said_lines = Path("said").read_text()
    assert "its Ray actor was lost" in said_lines
    assert (study["attempt"] == 2).any()
    assert "raylet" not in said_lines


@pytest.mark.slow
@pytest.mark.parametrize("from_outside", [False, True])
def test_a_lost_cluster_ends_a_search_in_one_line(
    in_small: Arguments, cluster: Any, from_outside: bool
) -> None:
    address = CLIENT if from_outside else cluster.address
    command = [sys.executable, "-m", "nas", *in_small("--out", "run", "--budget", "6")]
    paths = os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": paths}
    with Path("said").open("wb") as said:
        search = subprocess.Popen([*command, "--ray", address], stdout=said, stderr=said, env=environment)
    try:
        while trained() < 2 and search.poll() is None:
            time.sleep(0.2)
        cluster.shutdown()
        assert search.wait() == 1
    finally:
        search.kill()
    *_, last = Path("said").read_text().splitlines()
    assert f"the Ray cluster at '{address}' was lost; finished trials are kept" in last
    goes_on = subprocess.run([*command, "--json"], capture_output=True, text=True, env=environment)
    assert goes_on.returncode == 0, goes_on.stderr
    assert trained() >= 2


def trained() -> int:
    try:
        return int((load_study("run")["outcome"] == "trained").sum())
    except UserError:  # not there yet
        return 0
