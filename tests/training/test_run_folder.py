"""Files that are whole or not there, and checkpoints that say why they do not fit."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from vaedocs.training import run_folder
from vaedocs.training.data import load
from vaedocs.training.loop import Trainer
from vaedocs.training.run_folder import Run, write_atomically
from vaedocs.training.settings import Settings, UserError

ROOT = Path(__file__).resolve().parents[2]
QUICK = Settings(epochs=2, layers=(8,), batch=200)


@pytest.fixture
def run(tmp_path):
    """The folder of a small finished run."""
    data = load(QUICK)
    run_folder.start(tmp_path / "run", QUICK, data)
    Trainer(QUICK, data, tmp_path / "run").run()
    return tmp_path / "run"


def test_a_run_folder_holds_settings_versions_and_metrics(run):
    assert Settings.from_dict(json.loads((run / "settings.json").read_text()), "x") == QUICK
    versions = json.loads((run / "versions.json").read_text())
    assert versions["torch"] == torch.__version__
    assert len(versions["data sha256"]) == 64
    lines = (run / "metrics.csv").read_text().splitlines()
    metrics = json.loads((run / "metrics.json").read_text())
    assert lines[0] == ",".join(metrics[0])
    assert len(lines) == 3
    assert [m["epoch"] for m in metrics] == [1, 2]
    assert sorted(p.name for p in run.iterdir()) == [
        "best.pt", "last.pt", "metrics.csv", "metrics.json", "settings.json", "versions.json",
    ]  # fmt: skip


def test_an_opened_run_has_the_trained_parameters(run):
    opened = Run.open(run, best=False)
    state = run_folder.load_state(run / "last.pt")
    assert all(torch.equal(opened.model.state_dict()[n], v) for n, v in state["model"].items())
    assert len(opened.history) == 2


def test_a_failing_write_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch):
    write_atomically(tmp_path / "a", b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left on device; free some space; a of before"):
        write_atomically(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_disk_that_is_really_full_keeps_the_last_checkpoint(run):
    """A limit on file size stands for the disk: the kernel refuses in the middle of the write."""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    before = (run / "last.pt").read_bytes()
    assert len(before) > 10_000
    answer = subprocess.run(
        [sys.executable, "-m", "vaedocs", "train", "--resume", str(run), "--epochs", "3"],
        capture_output=True, text=True, preexec_fn=limit, cwd=ROOT,
    )  # fmt: skip
    assert answer.returncode == 2
    assert "cannot be written: File too large; free some space" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert (run / "last.pt").read_bytes() == before


def test_sigkill_in_the_middle_of_writing_leaves_a_checkpoint_that_loads(tmp_path):
    """A process that does nothing but write checkpoints is killed at a random moment."""
    code = (
        "import sys, torch, pathlib\n"
        "from vaedocs.training.run_folder import save_state\n"
        "i = 0\n"
        "while True:\n"
        "    i += 1\n"
        "    save_state(pathlib.Path(sys.argv[1]), {'i': torch.full((500_000,), i)})\n"
        "    print(i, flush=True)\n"
    )
    path = tmp_path / "last.pt"
    worker = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert worker.stdout is not None
    for _ in range(3):
        written = int(worker.stdout.readline())
    time.sleep(0.0137)
    worker.kill()
    worker.wait()
    rest = [int(line) for line in worker.stdout.read().split()]
    values = run_folder.load_state(path)["i"]
    assert values.min() == values.max()
    assert int(values[0]) in range(max([written, *rest]), max([written, *rest]) + 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda run: (run / "last.pt").write_bytes(b"rubbish"), "not a checkpoint"),
        (lambda run: (run / "last.pt").write_bytes((run / "last.pt").read_bytes()[:-99]),
         "not a checkpoint"),
        (lambda run: (run / "last.pt").unlink(), "no checkpoint there"),
        (lambda run: rewrite(run, layers=[9]), "is [8] in the checkpoint and [9] by settings.json"),
        (lambda run: rewrite(run, latent=3), "this checkpoint is of another network"),
        (lambda run: rewrite(run, binarise="dynamic", data="shapes"), "trained on data with"),
        (lambda run: rewrite(run, latnet=3), "unknown setting 'latnet'; did you mean 'latent'?"),
        (lambda run: rewrite(run, latent="two"), "latent is 'two'; expected something like 2"),
        (lambda run: (run / "settings.json").write_text("{"), "not JSON"),
        (lambda run: (run / "settings.json").unlink(), "not the folder of a run"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(run, change, words):
    change(run)
    with pytest.raises(UserError) as caught:
        Run.open(run, best=False)
    assert words in str(caught.value)
    assert str(run) in str(caught.value)


def test_a_damaged_checkpoint_points_to_the_whole_one(run):
    (run / "last.pt").write_bytes((run / "last.pt").read_bytes()[:999])
    with pytest.raises(UserError, match=r"it is damaged, .* see whether best.pt beside it can be"):
        Run.open(run, best=False)


def rewrite(run, **changes):
    """Other settings beside the same checkpoint."""
    values = json.loads((run / "settings.json").read_text())
    (run / "settings.json").write_text(json.dumps({**values, **changes}))


def test_a_checkpoint_of_another_format_names_both(run):
    state = torch.load(run / "last.pt", weights_only=True)
    torch.save({**state, "format": 0}, run / "last.pt")
    with pytest.raises(UserError, match="checkpoint format 0; this version of vaedocs reads 1"):
        Run.open(run, best=False)


def test_a_checkpoint_cannot_run_code(tmp_path):
    """A pickled command in a stranger's checkpoint is refused, not run."""
    import pickle

    class Evil:
        def __reduce__(self):
            return (os.system, (f"touch {tmp_path / 'done'}",))

    (tmp_path / "last.pt").write_bytes(pickle.dumps({"format": 1, "x": Evil()}))
    with pytest.raises(UserError, match="not a checkpoint"):
        run_folder.load_state(tmp_path / "last.pt")
    assert not (tmp_path / "done").exists()


def test_a_folder_with_a_run_is_not_overwritten(run):
    with pytest.raises(UserError, match="already holds a run; go on with --resume"):
        run_folder.start(run, QUICK, load(QUICK))


def test_the_settings_of_a_run_say_which_option_is_wrong():
    for options, words in [
        ({"latent": 0}, "--latent is 0; expected a whole number of at least 1"),
        ({"layers": (0,)}, "--layers has a layer of 0 units"),
        ({"learning_rate": 0.0}, "--learning-rate is 0.0; expected a positive number"),
        ({"likelihood": "poisson"}, "expected one of bernoulli, binomial, gaussian"),
        ({"validation": 1.0}, "--validation is 1.0"),
        ({"noise_variance": "big"}, "--noise-variance is big"),
        ({"beta": 2.0}, "say --objective beta"),
        ({"beta": -1.0, "objective": "beta"}, "--beta is -1.0"),
        ({"patience": 3, "validation": 0.0}, "give a share of the data to validation"),
        ({"graph": True}, "--graph captures a CUDA graph"),
        ({"seed": -1}, "--seed is -1"),
    ]:
        with pytest.raises(UserError) as caught:
            replace(QUICK, **options).check()
        assert words in str(caught.value)
