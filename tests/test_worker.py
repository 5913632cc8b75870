"""Jobs are done in another process, and none of them can hang, exhaust or kill the caller."""

import math
import operator
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sympy as sp

from klsym.core import worker
from klsym.core.errors import KlsymError, LimitError, UnknownNameError
from klsym.core.worker import call
from klsym.families import find


def test_a_result_comes_back_as_itself():
    x = sp.Symbol("x", positive=True)
    assert call(math.comb, 50, 25) == math.comb(50, 25)
    assert call(sp.log, x) == sp.log(x)
    assert call(len, b"x" * 10**7) == 10**7


def test_a_warm_call_is_quick():
    call(math.comb, 5, 2)
    start = time.perf_counter()
    for _ in range(50):
        call(math.comb, 5, 2)
    assert time.perf_counter() - start < 50 * 0.030


def test_jobs_share_one_process_while_they_succeed():
    assert call(os.getpid) == call(os.getpid) != os.getpid()


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        ((math.factorial, 10**7), "after its 0.3 seconds"),
        ((time.sleep, 100), "after its 0.3 seconds"),
        ((bytes, 10**10), "at its 2048 megabytes"),
        ((operator.mul, [0], 10**9), "at its 2048 megabytes"),
        ((os.abort,), "megabytes"),
    ],
)
def test_a_passed_limit_names_itself(job, reason):
    start = time.perf_counter()
    with pytest.raises(LimitError, match=reason):
        call(*job, seconds=0.3)
    assert time.perf_counter() - start < 10


def busy(seconds):
    while time.process_time() < seconds:
        pass
    return "done"


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the system does not tell who waits")
def test_waiting_for_a_processor_is_not_counted():
    pool = worker.Pool("klsym.core.worker", pickle.dumps((60.0, 4096, pickle.dumps((len, ("",))))))
    processes = [pool.take(fresh=True) for _ in range(4)]
    processor = min(os.sched_getaffinity(0))
    for process in processes:
        os.sched_setaffinity(process.process.pid, {processor})
    message = pickle.dumps((60.0, 4096, pickle.dumps((busy, (1.0,)))))
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda process: process.exchange(message, 1.5), processes))
    for process in processes:
        process.stop()
    assert all(answers)


def test_memory_is_limited_to_what_was_asked_for():
    with pytest.raises(LimitError, match="at its 600 megabytes"):
        call(bytes, 10**9, megabytes=600)
    assert len(call(bytes, 10**8, megabytes=1200)) == 10**8


def test_an_error_of_klsym_comes_through():
    with pytest.raises(UnknownNameError, match="no family 'Gama'; did you mean 'Gamma'"):
        call(find, "Gama")


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ((operator.truediv, 1, 0), "failed with ZeroDivisionError: division by zero"),
        ((sys.exit, 3), "failed with SystemExit"),
        ((os._exit, 3), "ended with status 3"),
        ((input,), "failed with EOFError"),
    ],
)
def test_any_other_failure_is_one_line(job, message):
    with pytest.raises(KlsymError, match=message) as caught:
        call(*job)
    assert "\n" not in str(caught.value)


def test_what_a_job_prints_is_not_an_answer(capfd):
    assert call(print, "hello") is None
    assert capfd.readouterr().out == ""


def test_a_process_that_died_between_jobs_is_replaced():
    call(math.comb, 5, 2)
    worker._jobs.idle[-1].process.kill()
    worker._jobs.idle[-1].process.wait()
    assert call(math.comb, 5, 2) == 10


def test_threads_have_their_own_workers():
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda n: call(math.comb, n, 2), range(2, 10))) == [math.comb(n, 2) for n in range(2, 10)]
    assert len(worker._jobs.idle) <= 4


def test_it_works_from_standard_input_and_from_a_script_without_a_guard(tmp_path):
    code = "import math\nfrom klsym.core.worker import call\nprint('once', call(math.comb, 5, 2))\n"
    script = tmp_path / "script.py"
    script.write_text(code)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for arguments, text in (["-"], code), ([str(script)], ""):
        done = subprocess.run(
            [sys.executable, *arguments], input=text, env=environment, capture_output=True, text=True, timeout=60
        )
        assert (done.stdout, done.stderr, done.returncode) == ("once 10\n", "", 0)
