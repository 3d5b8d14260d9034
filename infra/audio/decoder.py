"""The process that decodes one recording: `python -m infra.audio.decoder SOURCE TARGET SECONDS CPU MEMORY`."""

import json
import math
import os
import sys
from pathlib import Path

from infra.audio.conversion import RATE, convert
from infra.child import MEMORY_EXIT, apart, limit, orders
from infra.speech import UnusableAudio


def main() -> None:
    """Decode within the limits given, and print one line of JSON: the seconds, or what is wrong."""
    apart()
    source, target, seconds, cpu, memory = sys.argv[1:]
    written = int(float(seconds) * RATE * 2) + (1 << 20)
    limit(cpu=math.ceil(float(cpu)), written=written, space=int(memory))
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


if __name__ == "__main__":
    main()
