"""The ladder's worker against the `ffmpeg` program making the same ladder of the same 1080p30 source, CPU a stream.

Both get 20 s at once and work as fast as they can: the same rungs, bit rates, x264 options, scaling and threads, with
keyframes where the source has its own. All of both processes counts, starting up too.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from benchmarks.harness import Ratio, Report
from benchmarks.recording import GOP_S, film, read_tags
from benchmarks.stack import ROOT
from ingest.ladder.encoder import ENCODERS
from ingest.ladder.rungs import Rung, choose
from ingest.ladder.wire import Begin, Coded, Picture, Reader, Rungs, encode
from ingest.media.avc import read_avc
from ingest.media.flv import VideoConfig, VideoFrame, read_video
from ingest.media.init import VIDEO_TIMESCALE

SECONDS = 20
SIZE, KBPS, RATE = (1920, 1080), 6_000, 30.0
ROUNDS = 6
"""Turns of both; the least of each counts, since what disturbs a run only adds to it."""

BAR = 1.05
ENCODER = "libx264"
_TICKS_PER_MS = VIDEO_TIMESCALE // 1000
_READ = 1 << 18


def _messages(flv: bytes) -> tuple[list[bytes], tuple[Rung, ...], int]:
    """What the parent would say to the worker, the rungs, and the number of pictures."""
    said: list[bytes] = []
    rungs: tuple[Rung, ...] = ()
    pictures = 0
    for tag in read_tags(flv):
        unit = read_video(tag.body) if tag.type == 9 else None
        if isinstance(unit, VideoConfig):
            rungs = choose(read_avc(unit.record), RATE, cores=float("inf")).rungs
            said.append(encode(Begin(unit.codec, unit.record, VIDEO_TIMESCALE, ENCODER)))
            said.append(encode(Rungs(tuple(enumerate(rungs)))))
        elif isinstance(unit, VideoFrame):
            dts = tag.timestamp_ms * _TICKS_PER_MS
            said.append(encode(Picture(dts, unit.composition_ms * _TICKS_PER_MS, unit.keyframe, unit.data)))
            pictures += 1
    return said, rungs, pictures


def _ours(said: Sequence[bytes], expected: int) -> dict[str, float]:
    command = [sys.executable, "-m", "ingest.ladder"]
    before = _children_cpu_s()
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdin and worker.stdout
        telling = threading.Thread(target=_tell, args=(worker.stdin, said))
        telling.start()
        reader, units, size = Reader(), 0, 0
        while data := os.read(worker.stdout.fileno(), _READ):
            for message in reader.feed(data):
                if isinstance(message, Coded):
                    units += 1
                    size += len(message.data)
        telling.join()
    if worker.returncode or units != expected:
        raise RuntimeError(f"the worker gave {units} of {expected} pictures and exited with {worker.returncode}")
    return {"cpu_s": round(_children_cpu_s() - before, 2), "kbps": round(size * 8 / SECONDS / 1000)}


def _tell(stdin: IO[bytes], said: Sequence[bytes]) -> None:
    for data in said:
        stdin.write(data)
    stdin.close()


def _ffmpeg(flv: Path, rungs: Sequence[Rung]) -> dict[str, float]:
    command = [*_program(), "-threads", "1", "-i", str(flv), "-filter_complex", _graph(rungs)]
    outputs = [flv.with_suffix(f".{rung.name}.h264") for rung in rungs]
    for number, (rung, output) in enumerate(zip(rungs, outputs, strict=True)):
        command += ["-map", f"[out{number}]", *_encoding(rung), str(output)]
    before = _children_cpu_s()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ffmpeg exited with {done.returncode}: {done.stderr[-500:]}")
    size = sum(output.stat().st_size for output in outputs)
    return {"cpu_s": round(_children_cpu_s() - before, 2), "kbps": round(size * 8 / SECONDS / 1000)}


def _program() -> list[str]:
    found = shutil.which("ffmpeg")
    if found is None:
        raise RuntimeError("ffmpeg is needed: apt-get install ffmpeg")
    return [found, "-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-filter_complex_threads", "1"]


def _graph(rungs: Sequence[Rung]) -> str:
    copies = "".join(f"[in{number}]" for number in range(len(rungs)))
    scaled = [
        f"[in{number}]scale={rung.width}:{rung.height}:flags=bilinear[out{number}]" for number, rung in enumerate(rungs)
    ]
    return ";".join([f"[0:v]split={len(rungs)}{copies}", *scaled])


def _encoding(rung: Rung) -> list[str]:
    options = {
        "c:v": ENCODER,
        **ENCODERS[ENCODER],
        "force_key_frames": f"expr:gte(t,n_forced*{GOP_S})",
        "threads": "1",
        "bf": "0",
        "b:v": f"{rung.kbps}k",
        "maxrate": f"{round(rung.kbps * 1.1)}k",
        "bufsize": f"{rung.kbps}k",
    }
    return [argument for name, value in options.items() for argument in (f"-{name}", value)]


def _children_cpu_s() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _least(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    best = min(rounds, key=lambda each: each["cpu_s"])
    return best | {"cores_per_stream": round(best["cpu_s"] / SECONDS, 3)}


def run(seed: int, say: Callable[[str], None]) -> Report:
    """Both in turn, over the same source."""
    say(f"Encoding a source of {SECONDS} s …")
    flv = film(SECONDS, seed, *SIZE, KBPS)
    said, rungs, pictures = _messages(flv)
    rounds: dict[str, list[dict[str, float]]] = {"worker": [], "ffmpeg": []}
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as folder:
        source = Path(folder) / "source.flv"
        source.write_bytes(flv)
        for _ in range(ROUNDS):
            rounds["worker"].append(_ours(said, pictures * len(rungs)))
            rounds["ffmpeg"].append(_ffmpeg(source, rungs))
            say(str({name: each[-1] for name, each in rounds.items()}))
    figures: dict[str, Any] = {name: _least(each) for name, each in rounds.items()}
    figures["rungs"] = [f"{rung.name} {rung.kbps} kbit/s" for rung in rungs]
    ratio = figures["worker"]["cpu_s"] / figures["ffmpeg"]["cpu_s"]
    return Report("ladder", figures, {"cpu_over_ffmpeg": Ratio(ratio, BAR, "<=")}, seed)
