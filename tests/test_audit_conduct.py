"""An audit goes on whatever its jobs do, and from wherever it was killed, and finds the same."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import audit_cases
import pytest
from audit_cases import Asks, Climb, climbs, job

from klsym import render
from klsym.audit.peers.conduct import Progress, conduct
from klsym.audit.peers.executors import dask, local
from klsym.audit.peers.journal import Journal, dumps
from klsym.audit.peers.perform import Limits
from klsym.core.errors import KlsymError, ParameterError

ABOUT = {"seed": 0, "plan": {"points": 10}, "versions": {"torch": "2.13.0"}}

ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "audit.jsonl"


def run(cases, path, jobs=2, **more):
    with Journal(path, ABOUT) as journal, local(jobs) as (executor, flight):
        return dict(conduct(cases, journal, executor, flight, **more))


def keys(path):
    """How often each job and each case is in the journal."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return Counter(line.get("key") or line["case"] for line in lines[1:])


def expected(case):
    """What a climb finds, without any of the machinery."""
    asking = case.steps()
    results = None
    while True:
        try:
            results = [audit_cases.root(asked.argument) for asked in asking.send(results)]
        except StopIteration as stop:
            return json.loads(dumps(stop.value))


def test_the_findings_are_those_of_the_cases_by_themselves(path):
    cases = climbs(6)
    assert run(cases, path) == {case.name: expected(case) for case in cases}


def test_one_job_that_several_cases_ask_for_is_done_once(path, tmp_path):
    asked = job("root", {"x": 2.0, "log": str(tmp_path / "log")})
    found = run([Asks("a", (asked, asked)), Asks("b", (asked,)), Asks("c", ())], path)
    assert {name: len(results) for name, results in found.items()} == {"a": 2, "b": 1, "c": 0}
    assert (tmp_path / "log").read_text() == "2.0\n"
    assert set(keys(path).values()) == {1}


def test_what_is_finished_is_not_done_again(path, tmp_path):
    cases = climbs(3, log=str(tmp_path / "log"))
    first, size = run(cases, path), path.stat().st_size
    runs = (tmp_path / "log").read_text()
    assert run(cases, path) == first
    assert (path.stat().st_size, (tmp_path / "log").read_text()) == (size, runs)


BAD = {
    "die": ("crashed", "the process ended with SIGKILL"),
    "sleep_for_ever": ("hung", "no result in 2 seconds"),
    "eat": ("memory", "MemoryError"),
    "fill": ("memory", "held more than 200 megabytes"),
    "fail": ("raised", "ValueError: no good: <object object>"),
    "leave": ("raised", "SystemExit: 3"),
    "unsayable": ("raised", "TypeError: keys must be str, int, float, bool or None, not complex"),
    "unpicklable": ("raised", "Bomb: tick"),
}


def test_bad_jobs_cost_themselves_alone(path, tmp_path):
    bad = Asks("bad", tuple(job(name, None) for name in BAD))
    once = Asks("once", (job("die_once", str(tmp_path / "died")),))
    good = climbs(3)
    found = run([bad, once, *good], path, jobs=3, limits=Limits(seconds=2, megabytes=200))
    assert [(result["fate"], result["said"]) for result in found["bad"]] == list(BAD.values())
    assert found["once"] == ["alive"]
    assert {case.name: found[case.name] for case in good} == {case.name: expected(case) for case in good}


class Raises:
    name = "raises"

    def steps(self):
        yield [job("root", {"x": 1.0})]
        raise ZeroDivisionError("a defect of the case")


class Unsayable:
    name = "unsayable"

    def steps(self):
        yield []
        return [object()]


def test_a_case_that_raises_is_told_and_not_kept(path):
    found = run([Raises(), Unsayable(), *climbs(1)], path)
    assert found["raises"] == {"fate": "raised", "said": "ZeroDivisionError: a defect of the case"}
    assert found["unsayable"]["said"] == "TypeError: Object of type object is not JSON serializable"
    assert "climb 0" in keys(path) and not {"raises", "unsayable"} & set(keys(path))


def test_a_function_that_is_not_there_ends_the_audit_with_its_name(path):
    with pytest.raises(KlsymError, match="has no attribute 'rot'"):
        run([Asks("a", (job("rot", 1),))], path)


def test_two_cases_of_one_name_are_refused(path):
    with pytest.raises(ParameterError, match="2 cases are called 'climb 0'"):
        run(climbs(1) * 2, path)


def test_an_executor_that_breaks_says_that_the_journal_goes_on(path):
    class Broken(ThreadPoolExecutor):
        def submit(self, *_):
            return super().submit(lambda: 1 / 0)

    with Journal(path, ABOUT) as journal, Broken(1) as executor:
        with pytest.raises(KlsymError, match="holds 0 results, and the same audit goes on from there"):
            list(conduct(climbs(1), journal, executor, 1))


@contextmanager
def processes():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool, 4


@contextmanager
def one_thread():
    with ThreadPoolExecutor(1) as pool:
        yield pool, 1


@contextmanager
def loky():
    joblib = pytest.importorskip("joblib.externals.loky")
    with joblib.ProcessPoolExecutor(2) as pool:
        yield pool, 4


@contextmanager
def cluster():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(2, processes=True, threads_per_worker=1, dashboard_address=None) as scheduler,
        dask(scheduler.scheduler_address) as executor,
    ):
        with distributed.Client(scheduler) as client:
            assert len(set(client.run(os.getpid).values()) - {os.getpid()}) == 2
        yield executor


@pytest.mark.parametrize(
    "executor, bad",
    [
        (one_thread, ["fail"]),
        pytest.param(processes, ["die", "fail"], marks=pytest.mark.slow),
        pytest.param(loky, ["die", "fail"], marks=pytest.mark.peers),
        pytest.param(cluster, list(BAD), marks=pytest.mark.peers),
    ],
)
def test_the_executor_does_not_matter(executor, bad, path):
    cases = [*climbs(4), Asks("bad", tuple(job(name, None) for name in bad))]
    with Journal(path, ABOUT) as journal, executor() as (pool, flight):
        found = dict(conduct(cases, journal, pool, flight, Limits(2, 200)))
    assert [result["fate"] for result in found.pop("bad")] == [BAD[name][0] for name in bad]
    assert found == {case.name: expected(case) for case in cases[:-1]}
    assert set(keys(path).values()) == {1}


def test_no_more_than_was_said_is_in_flight_and_few_cases_are_open(path):
    opened, flying = [], []

    class Opens(Climb):
        def steps(self):
            opened.append(self.name)
            return super().steps()

    class Counts(ThreadPoolExecutor):
        def submit(self, *arguments):
            flying.append(super().submit(*arguments))
            now.append(sum(not future.done() for future in flying))
            return flying[-1]

    now = []
    cases = [Opens(f"climb {i}", 1.0 + i) for i in range(12)]
    with Journal(path, ABOUT) as journal, Counts(2) as executor:
        results = conduct(cases, journal, executor, 4)
        next(results)
        assert len(opened) <= 4  # each that is open has a job in flight
        assert len(dict(results)) == 11
    assert max(now) == 4


class Sweeps(Climb):
    """One job, and twice six that depend on what came before."""

    def steps(self):
        yield [job("root", {"x": self.start})]
        for around in (0.25, 0.5):
            yield [job("root", {"x": self.start + around + n / 64}) for n in range(6)]


def test_cases_that_were_begun_first_are_finished_first(path):
    told = []
    cases = [Sweeps(f"sweep {i}", 1.0 + i) for i in range(8)]
    with Journal(path, ABOUT) as journal, one_thread() as (executor, _):
        next(conduct(cases, journal, executor, flight=8, progress=told.append))
    assert told[-1].jobs <= 8 + 12 + 8, "not all eight cases side by side"


def test_an_interrupt_leaves_what_is_known(path, tmp_path):
    cases = climbs(4, log=str(tmp_path / "log"))

    def interrupt(progress):
        if progress.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(cases, path, progress=interrupt)
    known = len(keys(path))
    assert known > 12
    assert run(cases, path) == {case.name: expected(climb) for case, climb in zip(cases, climbs(4), strict=True)}
    assert set(keys(path).values()) == {1}


def test_an_interrupt_does_not_wait_for_what_is_in_flight(path, tmp_path):
    told, threads = tmp_path / "process", threading.active_count()

    def interrupt(progress):
        if told.exists() and told.read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([Asks("sleeps", (job("sleep_for_ever", str(told)),))], path, progress=interrupt)
    within(5, lambda: not alive(int(told.read_text())))
    within(5, lambda: threading.active_count() <= threads)


def killed(path, log, rng):
    """Run the audit of `audit_cases.main` and kill it at a random moment; whether it was not at its end before."""
    audit = subprocess.Popen(
        [sys.executable, audit_cases.__file__, str(path), str(log)], env=ENVIRONMENT, stdout=subprocess.PIPE
    )
    goal = (path.stat().st_size if path.exists() else 0) + rng.randrange(0, 2500)
    while audit.poll() is None and not (path.exists() and path.stat().st_size > goal):
        time.sleep(0.001)
    time.sleep(0.01 * rng.random())
    audit.send_signal(rng.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGINT]))
    audit.communicate(timeout=60)
    return audit.returncode != 0


def check_killed(path, log, times):
    rng = random.Random(times)
    deaths = sum(killed(path, log, rng) for _ in range(times))
    assert deaths == times
    command = [sys.executable, audit_cases.__file__, str(path), str(log)]
    last = subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=True, timeout=60)
    cases = climbs(20)
    assert json.loads(last.stdout) == [[case.name, expected(case)] for case in cases]
    assert set(keys(path).values()) == {1}
    done = len(keys(path)) - len(cases)
    runs = len(log.read_text().splitlines())
    assert done <= runs <= done + 8 * times, "what is done again is at most what was in flight"


def test_killed_and_resumed(path, tmp_path):
    check_killed(path, tmp_path / "log", 1)


@pytest.mark.slow
def test_killed_ten_times_and_resumed(path, tmp_path):
    check_killed(path, tmp_path / "log", 10)


def test_no_job_outlives_a_killed_audit(path):
    code = "import sys; from klsym.audit.peers.perform import Limits, perform; perform(*sys.argv[1:], Limits())"
    audit = subprocess.Popen([sys.executable, "-c", code, "audit_cases:sleep_for_ever", str(path)], env=ENVIRONMENT)
    within(20, lambda: path.exists() and path.read_text())
    audit.kill()
    audit.wait()
    within(5, lambda: not alive(int(path.read_text())))


def within(seconds, happens):
    until = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < until
        time.sleep(0.01)


def alive(process):
    """Whether it is there; one that ended and that nobody waited for is not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_torn_last_line_is_dropped_wherever_it_is_torn(path):
    whole = [dumps({"about": ABOUT})]
    whole += [dumps({"key": f"{i:032x}", "result": [0.1 * i, float("nan")]}) for i in range(2)]
    content = "".join(line + "\n" for line in whole).encode()
    ends = [sum(len(line) + 1 for line in whole[:n]) for n in range(4)]
    for cut in [0, 1, 20, *(end + step for end in ends[1:] for step in (-30, -2, -1, 0)), ends[1] + 1, ends[2] + 1]:
        path.write_bytes(content[:cut])
        kept = max(n for n in range(4) if ends[n] <= cut)
        with Journal(path, ABOUT) as journal:
            assert journal.counts["key"] == max(kept - 1, 0)
            journal.put("key", "new", "1")
        assert path.read_text().splitlines() == [*(whole[:kept] or whole[:1]), '{"key":"new","result":1}']


def test_numbers_come_back_as_they_were(path):
    numbers = [0.1, -0.0, 5e-324, 1.7976931348623157e308, float("inf"), float("-inf"), float("nan"), 2**70]
    with Journal(path, ABOUT) as journal:
        journal.put("key", "k", dumps(numbers))
    with Journal(path, ABOUT) as journal:
        assert list(map(repr, journal.get("key", "k"))) == list(map(repr, numbers))


def test_two_writers_are_refused(path):
    with Journal(path, ABOUT), pytest.raises(ParameterError, match="another audit is writing to the journal"):
        Journal(path, ABOUT)
    Journal(path, ABOUT).close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "begun with seed 0, and this audit has 1"),
        ({"versions": {"torch": "2.14.0"}}, r'with versions\.torch "2\.13\.0", and this audit has "2\.14\.0"'),
        ({"plan": {"points": 10, "pairs": ["a"]}}, r'with plan\.pairs null, and this audit has \["a"\]'),
    ],
)
def test_another_audit_does_not_go_on_from_this_one(path, change, message):
    Journal(path, ABOUT).close()
    before = path.read_bytes()
    with pytest.raises(ParameterError, match=message):
        Journal(path, ABOUT | change)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", ["P,Q\n1,2\n", '{"about":{}}\n{"key":"a"\n{"key":"b","result":1}\n', "[1]\n"])
def test_what_is_no_journal_is_refused_and_left_alone(path, content):
    path.write_text(content)
    with pytest.raises(ParameterError, match=r"line [12] of .* is not of a journal"):
        Journal(path, {})
    assert path.read_text() == content


def test_progress_counts_only_what_is_done_now(path):
    told = []
    run(climbs(2), path)
    before = len(keys(path)) - 2
    run(climbs(4), path, progress=told.append)
    last = told[-1]
    assert (last.done, last.total, last.before, last.jobs) == (4, 4, 2, len(keys(path)) - 4 - before)
    assert last.rate == pytest.approx(last.jobs / last.seconds)
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)
    assert str(Progress(5, 12, 2, 600, 60.0)) == "pairs, 10 jobs/s, 2 min 20 s left"
    assert Progress(2, 12, 2, 0, 60.0).remaining is None


def test_the_bar_has_rate_and_remaining_time_and_only_a_terminal_shows_it(capsys, monkeypatch):
    assert list(render.with_progress(iter("abc"), 3)) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    clock = iter([0.0, 60.0, 120.0, 180.0])
    monkeypatch.setattr(render.time, "monotonic", lambda: next(clock))
    list(render.with_progress(iter("abc"), 3))
    drawn = [line.rstrip() for line in capsys.readouterr().err.split("\r")[1:]]
    assert drawn[0].endswith("] 1/3 pairs, 0.017/s, 2 min 0 s left")
    assert drawn[-1] == f"[{'#' * 40}] 3/3 pairs, 0.017/s"
