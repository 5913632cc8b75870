"""Jobs with limits: a function call in another process, which is killed when it takes too long or too much.

SymPy evaluates while it builds, so even a short text can ask for more time or memory than there is; no limit inside the
same process holds against a loop in C. The process that does the jobs keeps SymPy loaded and waits for the next one.
It is started from the interpreter, never from the caller's `__main__`, so it works from scripts without a guard, from
standard input, from notebooks and under test runners. What travels between the two is pickled by them alone.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO, NoReturn

from .errors import KlsymError, LimitError

_START = 60.0
_ADVICE = "simplify the expression, or allow it more"
_BOOT = "import sys; sys.path[:] = {path!r}; from {module} import serve; serve()"
# How often a watched process is looked at, in seconds.
_GLANCE = 0.02

# How a child that the system stopped has ended: processor time, memory (GMP aborts), depth of recursion in C.
_SIGNALS = {
    "SIGPROF": "time",
    "SIGABRT": "memory",
    "SIGKILL": "memory",
    "SIGBUS": "memory",
    "SIGSEGV": "depth",
}


class Worker:
    """A process that does jobs, and the pipe to it: the function `serve` of the module runs there."""

    def __init__(self, module: str) -> None:
        self.owner = os.getpid()
        self.thread = threading.Thread()
        self.full = self.used = False
        self.process = subprocess.Popen(
            [sys.executable, "-c", _BOOT.format(path=sys.path, module=module)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    @property
    def ready(self) -> bool:
        """Whether it lives and is ours: one that a fork copied belongs to the parent."""
        return self.owner == os.getpid() and self.process.poll() is None

    def exchange(self, message: bytes, limit: float, megabytes: float | None = None) -> bytes | None:
        """The answer to the message, or None if there was none within `limit` seconds or the process ended.

        What the process waited for a processor is not counted, where the system tells: a busy machine is no fault of
        the job. With `megabytes` the process is watched, and killed when it holds more than that, likewise. The pipe
        is used in a thread of its own, because no wait on a pipe has a deadline on every system.
        """
        answer: list[bytes | None] = []

        def talk() -> None:
            with contextlib.suppress(OSError):
                _write(self.process.stdin, message)
                answer.append(_read(self.process.stdout))

        self.thread = threading.Thread(target=talk, daemon=True)
        self.thread.start()
        start, before = time.monotonic(), self.waited()
        while self.thread.is_alive():
            left = limit - (time.monotonic() - start)
            if left <= 0 and (left := left + self.waited() - before) <= 0:
                break
            self.thread.join(left if megabytes is None else min(left, _GLANCE))
            if megabytes is not None and self.held() > megabytes:
                self.full = True
                self.process.kill()
                self.thread.join(5.0)
                break
        return answer[0] if answer else None

    def waited(self) -> float:
        """The seconds for which the process was ready and had no processor, by its most delayed thread; 0 if unknown.

        (Linux, Documentation/scheduler/sched-stats: the second number is the time spent waiting on a runqueue, in ns.)
        """
        try:
            tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
            return max((int(task.read_text().split()[1]) for task in tasks), default=0) / 1e9
        except (OSError, IndexError, ValueError):
            return 0.0

    def held(self) -> float:
        """The megabytes of memory that the process has in use; 0 where the system does not tell."""
        try:
            pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
            return int(pages) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
        except (OSError, IndexError, ValueError):
            return 0.0

    def cause(self) -> str:
        """Why there was no answer: the time is over, or the signal or status that the process ended with."""
        if self.thread.is_alive():
            return "time"
        try:
            status = self.process.wait(1.0)
            return signal.Signals(-status).name
        except (subprocess.TimeoutExpired, ValueError):
            return f"status {self.process.poll()}"

    def stop(self) -> None:
        if self.owner != os.getpid():
            return
        self.process.kill()
        self.process.wait()
        if self.thread.ident:
            self.thread.join(1.0)
        if not self.thread.is_alive():  # closing a pipe that a thread still reads would wait for the thread
            for pipe in (self.process.stdin, self.process.stdout):
                with contextlib.suppress(OSError):  # what a dead process did not read cannot be flushed
                    pipe.close()  # type: ignore[union-attr]


class Pool:
    """Processes of one kind that wait for jobs; `greeting` is the first one that each is given, within 60 seconds."""

    def __init__(self, module: str, greeting: bytes, keep: int = 2, patience: float = _START) -> None:
        self.module, self.greeting, self.keep, self.patience = module, greeting, keep, patience
        self.idle: deque[Worker] = deque()
        atexit.register(self.close)

    def take(self, fresh: bool = False) -> Worker:
        """A process that waits for a job, with `fresh` one that has done none."""
        while self.idle and not fresh:
            with contextlib.suppress(IndexError):  # another thread may have taken the last one
                worker = self.idle.pop()
                if worker.ready:
                    return worker
                worker.stop()
        worker = Worker(self.module)
        try:
            answer = worker.exchange(self.greeting, self.patience)
        except BaseException:
            worker.stop()
            raise
        if answer is None:
            worker.stop()
            raise KlsymError(
                f"the process for limited jobs did not start within {self.patience:g} seconds; "
                f"`{sys.executable} -c 'import {self.module}'` says why"
            )
        return worker

    def give(self, worker: Worker) -> None:
        if len(self.idle) < self.keep:
            self.idle.append(worker)
        else:
            worker.stop()

    def close(self) -> None:
        while self.idle:
            self.idle.pop().stop()


_jobs = Pool("klsym.core.worker", pickle.dumps((_START, 1 << 20, pickle.dumps((len, ("",))))))


def call(function: Callable[..., Any], *arguments: Any, seconds: float = 5.0, megabytes: int = 2048) -> Any:
    """function(*arguments), computed in a process that is killed when it passes a limit.

    `function` is importable by name, and it, its arguments and its result can be pickled. `seconds` limits the
    processor time where the system counts it, and twice that plus one second the time that it takes, always;
    `megabytes` limits the address space where the system does. A passed limit raises LimitError; a KlsymError of the
    function comes through; any other failure is a KlsymError that names it.

    >>> import math
    >>> call(math.comb, 5, 2)
    10
    """
    message = pickle.dumps((seconds, megabytes, pickle.dumps((function, arguments))))
    worker = _jobs.take()
    try:
        answer = worker.exchange(message, 2 * seconds + 1)
        reply: Any = pickle.loads(answer) if answer else ("stopped", _SIGNALS.get(end := worker.cause(), end))
    except BaseException:
        worker.stop()
        raise
    outcome, content = reply
    if outcome == "stopped":
        worker.stop()
        raise _limit(content, seconds, megabytes)
    _jobs.give(worker)
    if outcome == "error":
        raise content
    return content


def _limit(cause: str, seconds: float, megabytes: int) -> KlsymError:
    if cause == "time":
        return LimitError(f"the job was stopped after its {seconds:g} seconds; {_ADVICE} time")
    if cause == "memory":
        return LimitError(f"the job was stopped at its {megabytes} megabytes; {_ADVICE} memory")
    if cause == "depth":
        return LimitError("the job was stopped because the expression is nested too deeply; split it into smaller ones")
    return KlsymError(f"the process that did the job ended with {cause}; {_ADVICE} time and memory")


def _write(pipe: BinaryIO | Any, content: bytes) -> None:
    pipe.write(len(content).to_bytes(8, "big") + content)
    pipe.flush()


def _read(pipe: BinaryIO | Any) -> bytes | None:
    """The next message, or None at the end of the pipe."""
    head = pipe.read(8)
    content = pipe.read(int.from_bytes(head, "big"))
    return content if len(head) == 8 and len(content) == int.from_bytes(head, "big") else None


def converse(answer: Callable[[bytes], bytes]) -> NoReturn:
    """Answer messages until the pipe closes, which ends this process at once: then nobody waits for an answer.

    What is printed meanwhile is not an answer.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    messages, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "r+b") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)
    received: SimpleQueue[bytes] = SimpleQueue()

    def listen() -> None:
        while (message := _read(messages)) is not None:
            received.put(message)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        _write(answers, answer(received.get()))


def serve() -> None:
    """The life of the other process."""
    importlib.import_module("sympy")
    converse(_limited)


def _limited(message: bytes) -> bytes:
    seconds, megabytes, job = pickle.loads(message)
    with _limits(seconds, megabytes):
        return _answer(job)


def _answer(job: bytes) -> bytes:
    try:
        function, arguments = pickle.loads(job)
        return pickle.dumps(("value", function(*arguments)))
    except KlsymError as error:
        return pickle.dumps(("error", error))
    except MemoryError:
        return pickle.dumps(("stopped", "memory"))
    except RecursionError:
        return pickle.dumps(("stopped", "depth"))
    except BaseException as error:
        line = str(error).partition("\n")[0][:200]
        return pickle.dumps(("error", KlsymError(f"the job failed with {type(error).__name__}: {line}")))


@contextlib.contextmanager
def _limits(seconds: float, megabytes: int) -> Any:
    """Let the system stop this process past its processor time, and refuse it memory past its address space."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    import resource

    unlimited = resource.getrlimit(resource.RLIMIT_AS)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, unlimited[1]))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, unlimited)
