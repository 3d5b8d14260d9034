"""The process that decodes one recording: `python -m infra.audio.decoder SOURCE TARGET SECONDS CPU MEMORY`."""

import json
import math
import os
import resource
import sys
from pathlib import Path

from infra.audio.conversion import RATE, convert
from infra.audio.decoding import MEMORY_EXIT
from infra.speech import UnusableAudio
from infra.speech.child import orders


def main() -> None:
    """Decode within the limits given, and print one line of JSON: the seconds, or what is wrong."""
    source, target, seconds, cpu, memory = sys.argv[1:]
    _limit(float(seconds), math.ceil(float(cpu)), int(memory))
    orders()
    try:
        print(json.dumps(answer(Path(source), Path(target), float(seconds))), flush=True)  # noqa: T201
    except MemoryError:
        os._exit(MEMORY_EXIT)
    os._exit(0)


def answer(source: Path, target: Path, seconds: float) -> dict[str, object]:
    """What to tell the parent. Raises MemoryError only."""
    try:
        return {"seconds": convert(source, target, seconds)}
    except UnusableAudio as fault:
        return {"code": fault.code, "detail": fault.detail}
    except MemoryError:
        raise
    except OSError as error:  # such as a full disk
        return {"trouble": f"{type(error).__name__}: {error.strerror}"}
    except Exception as error:
        detail = f"The decoder fails on this file ({type(error).__name__})."
        return {"code": "AUDIO_UNDECODABLE", "detail": detail}


def _limit(seconds: float, cpu: int, memory: int) -> None:
    written = int(seconds * RATE * 2) + (1 << 20)
    _set(resource.RLIMIT_AS, memory, memory)
    _set(
        resource.RLIMIT_CPU, cpu, cpu + 1
    )  # the soft limit ends us with SIGXCPU, which tells; the hard with SIGKILL
    _set(resource.RLIMIT_FSIZE, written, written)
    _set(resource.RLIMIT_CORE, 0, 0)


def _set(limit: int, soft: int, hard: int) -> None:
    """Lower a limit; one that is lower already stays."""
    most = resource.getrlimit(limit)[1]
    most = hard if most == resource.RLIM_INFINITY else min(hard, most)
    resource.setrlimit(limit, (min(soft, most), most))


if __name__ == "__main__":
    main()
