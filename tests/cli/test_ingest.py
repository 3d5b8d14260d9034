"""`headwater ingest`: folders go in once, into a collection that is meant."""

import os
from pathlib import Path

from app.client import Headwater
from tests.deployment import KEY, Deployment
from tests.knowledge.asking import fresh


async def test_a_folder_goes_into_a_collection_once(deployment: Deployment, tmp_path: Path) -> None:
    name = fresh("folder")
    (tmp_path / "deep").mkdir()
    (tmp_path / ".hidden").write_text("nobody asked for it")
    for n, path in enumerate(("a.txt", "deep/b.txt", "deep/c.md", "d.log")):
        (tmp_path / path).write_text(f"Text {n} of {name}.")
    (tmp_path / "copy.txt").write_text(f"Text 0 of {name}.")
    (tmp_path / "nowhere.txt").symlink_to(tmp_path / "nothing")
    (tmp_path / "deep" / "round").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / os.fsdecode(b"e-\xff.txt")).write_text(f"Text 4 of {name}.")
    asked = ("ingest", str(tmp_path), "--collection", name, "--exclude", "*.log", "--wait")
    lost = await deployment.cli(*asked)
    assert (lost.status, "COLLECTION_NOT_FOUND" in lost.err, "Traceback" in lost.err) == (1, True, False), (
        lost
    )
    first = await deployment.cli(*asked, "--create", "--metadata", '{"year": 2026}')
    assert (first.status, first.out.splitlines()[-1]) == (
        0,
        "4 uploaded, 1 there already, 0 not taken or failed",
    ), first
    (tmp_path / "empty.txt").write_text("")
    again = await deployment.cli(*asked)
    assert (again.status, again.out.splitlines()[-1]) == (
        1,
        "0 uploaded, 5 there already, 1 not taken or failed",
    ), again
    assert "DOCUMENT_EMPTY" in again.err
    async with Headwater(deployment.url, KEY) as headwater:
        documents = [each async for each in headwater.knowledge.documents(collection=name)]
        assert {each.status for each in documents} == {"completed"}
        assert all(each.metadata == {"year": 2026} for each in documents)
        assert (await headwater.knowledge.collection(name)).documents == 4
        await headwater.knowledge.change_metadata(documents[0].id, {"year": 2027})
        assert (await headwater.knowledge.document(documents[0].id)).metadata == {"year": 2027}
        await headwater.knowledge.change_collection(name, description="What a folder holds")
        assert (await headwater.knowledge.collection(name)).description == "What a folder holds"
        assert (await headwater.knowledge.statistics()).by_status["completed"] >= len(documents)
        chunks = [each.text async for each in headwater.knowledge.chunks(documents[0].id)]
        assert chunks[0].startswith("Text ")
        await headwater.knowledge.delete(*(each.id for each in documents))
        assert [each async for each in headwater.knowledge.documents(collection=name)] == []
    named = await deployment.cli("ingest", str(tmp_path / "d.log"), *asked[2:4])
    assert named.out.splitlines()[-1] == "1 uploaded, 0 there already, 0 not taken or failed", named
    back = await deployment.cli(*asked, "--pattern", "a.*")
    assert back.out.splitlines()[-1] == "1 uploaded, 0 there already, 0 not taken or failed", back


async def test_what_failed_before_is_told_as_failed_again(deployment: Deployment, tmp_path: Path) -> None:
    name = fresh("failed")
    for path in ("blank.txt", "copy.txt"):
        (tmp_path / path).write_text(" \n")
    asked = ("ingest", str(tmp_path), "--collection", name, "--create")
    first = await deployment.cli(*asked, "--wait")
    assert first.out.splitlines()[-1] == "1 uploaded, 1 there already, 1 not taken or failed", first
    async with Headwater(deployment.url, KEY) as headwater:
        (document,) = [each async for each in headwater.knowledge.documents(collection=name)]
        (known,) = (await headwater.knowledge.known(name, [document.sha256])).known
    assert (known.status, known.error and known.error.code) == ("failed", "DOCUMENT_NO_TEXT")
    for again in (await deployment.cli(*asked), await deployment.cli(*asked, "--wait")):
        assert (again.status, again.out.splitlines()[-1]) == (
            1,
            "0 uploaded, 0 there already, 2 not taken or failed",
        ), again
        assert f"failed before: {known.error and known.error.detail}" in again.err
