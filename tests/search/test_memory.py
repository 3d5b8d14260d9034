"""What was asked before is remembered within bounds, and believed only as long as nothing has changed."""

from app.search.memory import Memory


def test_what_was_not_asked_for_longest_is_forgotten_first() -> None:
    memory: Memory[str] = Memory(entries=2, size=100)
    memory.put("a", "one", 10)
    memory.put("b", "two", 10)
    assert memory.get("a") == "one"
    memory.put("c", "three", 10)
    assert (memory.get("a"), memory.get("b"), memory.get("c")) == ("one", None, "three")
    assert (len(memory), memory.bytes) == (2, 20)


def test_bytes_are_bounded_too() -> None:
    memory: Memory[str] = Memory(entries=100, size=30)
    for n in range(10):
        memory.put(n, str(n), 10)
    assert [n for n in range(10) if memory.get(n)] == [7, 8, 9]
    memory.put("huge", "x", 31)
    assert (memory.get("huge"), memory.bytes) == (None, 30)
    memory.put(9, "again", 25)
    assert (len(memory), memory.bytes) == (1, 25)
    memory.drop(9)
    memory.drop(9)
    assert memory.bytes == 0
