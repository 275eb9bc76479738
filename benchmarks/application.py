"""How fast the application starts, answers and gives numbers, and how much memory it takes.

python -m benchmarks.application [--model NAME] [--clients 50] [--seconds 20]

Starts servers of its own in a temporary folder. Times are those of the clock and of the processor: on a machine that is
busy only the second says anything.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from cardiotrace.datasets.converted import write_exam
from cardiotrace.phantoms import EchoPhantom, biplane_exam

API = "/api/v1"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Program:
    """A server in a process of its own."""

    process: "subprocess.Popen[str]"
    http: httpx.Client
    seconds: float
    """From the start to its address."""

    @property
    def cpu_seconds(self) -> float:
        return _cpu(self.process.pid)

    @property
    def all_cpu_seconds(self) -> float:
        """Of its workers as well."""
        return self.cpu_seconds + sum(map(_cpu, self.workers()))

    @property
    def handles(self) -> int:
        """Open files and connections."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    @property
    def megabytes(self) -> float:
        return _megabytes(self.process.pid)

    def workers(self) -> list[int]:
        """Its warm processes, without the one that only looks after semaphores."""
        done = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        return [pid for pid in map(int, done.stdout.split()) if "spawn_main" in _command(pid)]


@contextmanager
def started(data: Path, *words: str) -> Iterator[Program]:
    command = [sys.executable, "-m", "cardiotrace", "serve", "--data", str(data), "--port", "0", *words]
    began = time.perf_counter()
    # As where it is installed: with the bytecode of its modules.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(data.parent / "bytecode")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    address, _, token = process.stdout.readline().strip().partition("?token=")
    seconds = time.perf_counter() - began
    try:
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=120) as http:
            yield Program(process, http, seconds)
    finally:
        process.kill()
        process.wait()


def exam_files(frames: int) -> dict[str, bytes]:
    """A phantom exam of two apical views, as files."""
    with tempfile.TemporaryDirectory() as folder:
        write_exam(biplane_exam(EchoPhantom(frame_count=max(frames, 8), seed=1)).exam, Path(folder))
        return {f"exam/{path.name}": path.read_bytes() for path in Path(folder).iterdir()}


def drop(program: Program, files: dict[str, bytes]) -> tuple[float, float]:
    """Seconds from the first byte of an exam to its numbers, and those of the processor, of server and workers."""
    http, began, used = program.http, time.perf_counter(), program.all_cpu_seconds
    upload = http.post(f"{API}/uploads").raise_for_status().json()["id"]
    for number, (name, content) in enumerate(files.items()):
        http.put(f"{API}/uploads/{upload}/files/{number}", params={"name": name}, content=content).raise_for_status()
    job = http.post(f"{API}/uploads/{upload}/finish").raise_for_status().json()["job"]
    (study,) = _until(lambda: http.get(f"{API}/jobs/{job}").json(), "done")["result"]["studies"]
    _until(lambda: http.get(f"{API}/studies/{study}").json(), "done")
    return time.perf_counter() - began, program.all_cpu_seconds - used


def answers(program: Program, clients: int, seconds: float) -> list[float]:
    """How long answers take, ms, while so many clients ask for the list, a study and its labels."""
    study = program.http.get(f"{API}/studies").json()["studies"][0]["id"]
    image = program.http.get(f"{API}/studies/{study}").json()["images"][0]["name"]
    paths = (f"{API}/studies", f"{API}/studies/{study}", f"{API}/studies/{study}/images/{image}/labels")
    times: list[float] = []
    until = time.monotonic() + seconds

    def ask() -> None:
        with httpx.Client(base_url=program.http.base_url, headers=program.http.headers, timeout=60) as http:
            while time.monotonic() < until:
                for path in paths:
                    began = time.perf_counter()
                    http.get(path).raise_for_status()
                    times.append(1000 * (time.perf_counter() - began))
                    time.sleep(0.2)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def measured(model: str, clients: int, seconds: float) -> dict[str, Any]:
    words = ("--model", model) if model else ()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "kept"
        for _ in range(2):
            with started(data, *words):
                pass  # makes the database and the bytecode
        with started(data, *words) as program:
            found["start to address, s"] = program.seconds
            found["start to address, s of processor"] = program.cpu_seconds
            time.sleep(1)
            found["server idle, MB"] = program.megabytes
            files = exam_files(20)
            for how, count in (("cold", 1), ("warm", 3)):
                runs = [drop(program, files) for _ in range(count)]
                found[f"drop to numbers, {how}, s"] = min(seconds for seconds, _ in runs)
                found[f"drop to numbers, {how}, s of processor"] = min(of_processor for _, of_processor in runs)
            found["worker warm, MB"] = max(map(_megabytes, program.workers()), default=0.0)
            found["server after exams, MB"] = program.megabytes
            before = program.megabytes, program.handles, program.cpu_seconds
            times = sorted(answers(program, clients, seconds))
            found[f"answers with {clients} clients"] = len(times)
            found["an answer, ms of processor"] = 1000 * (program.cpu_seconds - before[2]) / len(times)
            found[f"answers with {clients} clients, median ms"] = statistics.median(times)
            found[f"answers with {clients} clients, 99 % ms"] = times[int(0.99 * len(times))]
            time.sleep(2)
            found["memory that clients left, MB"] = program.megabytes - before[0]
            found["handles that clients left"] = program.handles - before[1]
            program.process.send_signal(signal.SIGKILL)
            program.process.wait()
        with started(data, *words) as program:
            found["start after kill -9, s"] = program.seconds
            found["start after kill -9, s of processor"] = program.cpu_seconds
            began = time.perf_counter()
            program.process.send_signal(signal.SIGTERM)
            program.process.wait()
            found["end, s"] = time.perf_counter() - began
    return found


def _until(ask: Callable[[], Any], state: str) -> Any:
    while (found := ask())["state"] != state:
        assert found["state"] in ("queued", "running"), found
        time.sleep(0.02)
    return found


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _megabytes(pid: int) -> float:
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def main() -> None:
    """Measure, print a table, and what `--json` asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measured(options.model, options.clients, options.seconds)
    if options.json:
        print(json.dumps(found))
        return
    print("| what | value |\n|---|---:|")
    for name, value in found.items():
        print(f"| {name} | {value:.3g} |")


if __name__ == "__main__":
    main()
