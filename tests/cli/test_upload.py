"""`headwater upload`: files go in once, bad ones are named, and waiting ends with the stages."""

from pathlib import Path

from tests.deployment import Deployment
from tests.jobsite.uploads import get, sound


def note(folder: Path, name: str, seconds: float = 0.5) -> str:
    (folder / name).write_bytes(sound(seconds))
    return str(folder / name)


async def test_files_are_uploaded_once_and_waited_for(deployment: Deployment, tmp_path: Path) -> None:
    files = [note(tmp_path, f"{n}.wav") for n in range(4)]
    first = await deployment.cli("upload", "--wait", "--title", "Monday", *files)
    assert first.status == 0, first
    lines = {line.split()[2]: line.split()[:2] for line in first.out.splitlines()}
    assert {path: state for path, (_, state) in lines.items()} == dict.fromkeys(files, "completed")
    again = await deployment.cli("upload", "--title", "Monday", files[0])
    assert again.out.split() == [lines[files[0]][0], "accepted", files[0]]
    other = await deployment.cli("upload", "--title", "Monday", "--again", files[0])
    assert other.out.split()[0] != lines[files[0]][0]


async def test_what_is_wrong_is_said_of_each_file(deployment: Deployment, tmp_path: Path) -> None:
    good, bad = note(tmp_path, "good.wav"), tmp_path / "bad.wav"
    bad.write_text("no sound at all")
    mixed = await deployment.cli("upload", str(bad), good)
    assert mixed.status == 1
    assert mixed.out.split()[1:] == ["accepted", good]
    assert f"{bad}: AUDIO_UNSUPPORTED" in mixed.err
    missing = await deployment.cli("upload", str(tmp_path / "missing.wav"))
    assert (missing.status, "There is no file" in missing.err) == (1, True)
    away = await deployment.cli("upload", "--url", "http://127.0.0.1:1", good)
    assert (away.status, "Nothing answers at http://127.0.0.1:1" in away.err) == (1, True), away
    stranger = await deployment.cli("upload", "--key", "nobody-knows-it", good)
    assert stranger.status == 1
    assert "Traceback" not in stranger.err + mixed.err


async def test_what_belongs_to_a_recording_goes_with_it(deployment: Deployment, tmp_path: Path) -> None:
    plan = tmp_path / "plan.txt"
    plan.write_text("Two boilers of 24 kW in the north room.")
    taken = await deployment.cli("upload", note(tmp_path, "a.wav"), "--attach", str(plan))
    assert taken.status == 0, taken
    async with deployment.client() as http:
        listed = await get(http, f"/v1/attachments?sessionId={taken.out.split()[0]}")
    assert [each["fileName"] for each in listed["items"]] == ["plan.txt"]


async def test_who_waits_is_told_of_a_file_that_cannot_be_read(
    deployment: Deployment, tmp_path: Path
) -> None:
    junk = tmp_path / "junk.pdf"
    junk.write_text("no PDF")
    taken = await deployment.cli("upload", "--wait", note(tmp_path, "a.wav"), "--attach", str(junk))
    assert (taken.status, f"{junk}: DOCUMENT_MISLABELLED" in taken.err) == (1, True), taken
    assert taken.out.split()[1] == "completed"
