"""What the shell offers on Tab: by the protocols of bash, zsh and fish, and in a real bash."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.cli.completion import join_bash_words
from jobs.records.keys import JobKeys
from jobs.store.folder import FolderStore
from render.networks.catalogue import network_names
from render.networks.names import names_without_torch
from tests.support.counting_store import CountingStore
from tests.support.job_states import JOB, write_job
from tests.support.s3_servers import free_ports
from tests.support.shell import COMMAND, Shell

OTHER = JOB.replace("sky", "sea")


class Offered:
    """Asks for completions as bash does, in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, shell: Shell) -> None:
        self._monkeypatch, self._shell = monkeypatch, shell

    def __call__(self, line: str) -> list[str]:
        """What is offered at the end of a line."""
        words = line.split(" ")
        self._monkeypatch.setenv("_DREAMFARM_COMPLETE", "complete_bash")
        self._monkeypatch.setenv("COMP_WORDS", "\n".join(["dreamfarm", *words]))
        self._monkeypatch.setenv("COMP_CWORD", str(len(words)))
        ended = self._shell()
        assert (ended.code, ended.err) == (0, "")
        return ended.out.split()


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, shell: Shell) -> Offered:
    return Offered(monkeypatch, shell)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ini", ["init"]),
        ("pa", ["pause"]),
        ("render sky.jpg --lo", ["--look"]),
        ("render sky.jpg --look g", ["garden", "google-2015", "gordicaleksa"]),
        ("plan sky.jpg --gpu h2", ["h200"]),
        ("init d", ["dataset"]),
        ("schema ", ["poster", "dataset", "atlas"]),
        ("list --state c", ["cancelled"]),
        ("retry --class m", ["memory"]),
        ("render a.jpg --fit ", ["stretch", "crop", "pad"]),
        ("layers squeezenet", ["squeezenet1_0", "squeezenet1_1"]),
        ("submit --network par", ["pareidolia"]),
        ("render --network=par", ["pareidolia"]),
    ],
)
def test_words_are_offered(offered: Offered, line: str, words: list[str]) -> None:
    assert offered(line) == words


def test_all_networks_are_known_without_torch() -> None:
    assert sorted(names_without_torch()) == sorted(network_names())


def test_jobs_of_the_store_are_offered(
    offered: Offered, store: FolderStore, tmp_path: Path
) -> None:
    write_job(store)
    write_job(store, OTHER)
    assert offered("show ") == [OTHER, JOB]
    assert offered("fetch sk") == [JOB]
    assert offered(f"pause {JOB} ") == [OTHER]
    assert offered(f"show --store {tmp_path / 'nowhere'} ") == []
    assert offered(f"show --store {tmp_path / 'store'} se") == [OTHER]


def test_jobs_take_one_list_request(offered: Offered, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = CountingStore()
    write_job(counting)
    counting.reads.clear()
    counting.listings.clear()
    monkeypatch.setattr("jobs.store.address.open_existing_store", lambda _: counting)
    assert offered("show s") == [JOB]
    assert (dict(counting.listings), counting.reads.total()) == ({"jobs/": 1}, 0)


def test_layers_are_those_of_the_network_that_is_named(offered: Offered, shell: Shell) -> None:
    assert shell("layers", "lenet5").code == 0  # measures them
    assert "s4" in offered("render a.jpg --network lenet5 --layer ")
    assert offered("render a.jpg --network lenet5 --layer s4.") == []
    assert "s4" not in offered("render a.jpg --layer ")
    assert offered("render a.jpg --network nowhere.onnx --layer ") == []


@pytest.mark.parametrize(
    ("words", "at", "joined", "index"),
    [
        ("dreamfarm show --store s3 : //bucket sk", 6, "dreamfarm show --store s3://bucket sk", 4),
        ("dreamfarm render --network = par", 4, "dreamfarm render --network=par", 2),
        ("dreamfarm pause a", 2, "dreamfarm pause a", 2),
        ("dreamfarm pause", 2, "dreamfarm pause", 2),
    ],
)
def test_words_that_bash_took_apart_are_joined(
    words: str, at: int, joined: str, index: int
) -> None:
    environment = {"COMP_WORDS": words.replace(" ", "\n"), "COMP_CWORD": str(at)}
    join_bash_words(environment)
    assert environment["COMP_WORDS"].split("\n") == joined.split()
    assert environment["COMP_CWORD"] == str(index)


def ran(*command: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """A process that may take ten seconds, and reads nothing."""
    return subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize(
    ("kind", "place"),
    [("zsh", ".zfunc/_dreamfarm"), ("fish", ".config/fish/completions/dreamfarm.fish")],
)
def test_other_shells_ask_by_their_own_protocols(kind: str, place: str, tmp_path: Path) -> None:
    asked = {
        "_DREAMFARM_COMPLETE": f"complete_{kind}",
        "_TYPER_COMPLETE_ARGS": "dreamfarm list --state q",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    assert "queued" in ran(COMMAND, **asked).stdout
    here = {"HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    ran(COMMAND, "--install-completion", kind, **here)
    assert f"_DREAMFARM_COMPLETE=complete_{kind}" in (tmp_path / place).read_text()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_a_real_bash_completes_after_the_installation(store: FolderStore, tmp_path: Path) -> None:
    write_job(store)
    program = f"""
        export PATH={COMMAND.parent}:$PATH
        dreamfarm --install-completion >&2
        source "$HOME/.bashrc"
        complete -p dreamfarm
        COMP_WORDS=(dreamfarm show --store file : //{tmp_path}/store ""); COMP_CWORD=6
        _dreamfarm_completion dreamfarm
        printf '%s\\n' "${{COMPREPLY[@]}}"
        true
    """
    script = tmp_path / "tab.sh"
    script.write_text(program)
    printed = ran("bash", "--norc", script, HOME=str(tmp_path)).stdout.splitlines()
    assert printed == ["complete -o default -F _dreamfarm_completion dreamfarm", JOB]


_LOADED = """
import sys
from jobs.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def test_completion_loads_nothing_heavy(project: Path, store: FolderStore) -> None:
    write_job(store)
    for line in ("show\n", "render\na.jpg\n--layer\n", "render\n--network\n"):
        ended = ran(
            *(sys.executable, "-c", "import sys; sys.argv[0] = 'dreamfarm'\n" + _LOADED),
            _DREAMFARM_COMPLETE="complete_bash",
            COMP_WORDS=f"dreamfarm\n{line}",
            COMP_CWORD=str(line.count("\n") + 1),
            PYTHONPATH=str(project),
        )
        loaded = set(ended.stderr.split())
        assert "jobs.cli.completion" in loaded
        assert loaded & {"torch", "torchvision", "ray", "pyvips", "boto3"} == set()


def test_a_store_that_does_not_answer_is_silent() -> None:
    port = free_ports(1)
    begin = time.monotonic()
    ended = ran(
        COMMAND,
        _DREAMFARM_COMPLETE="complete_bash",
        COMP_WORDS="dreamfarm\nshow\n",
        COMP_CWORD="2",
        DREAMFARM_STORE="s3://bucket/dreams",
        AWS_ENDPOINT_URL_S3=f"http://127.0.0.1:{port}",
        AWS_ACCESS_KEY_ID="nobody",
        AWS_SECRET_ACCESS_KEY="nothing",
        AWS_EC2_METADATA_DISABLED="true",
    )
    assert (ended.stdout.strip(), ended.stderr) == ("", "")
    assert time.monotonic() - begin < 20


def test_a_deleted_job_is_not_offered(offered: Offered, store: FolderStore) -> None:
    write_job(store)
    store.delete([entry.key for entry in store.list_objects(JobKeys(JOB).folder)])
    assert offered("show ") == []
