"""Goals: which workloads are short of theirs, and how far they could come."""

from benchmark_cases import cells, row, whole_report

from benchmarks import goals, results
from benchmarks.roofline import WHOLE
from benchmarks.workloads import WORKLOADS


def report_of(*workloads):
    """Workloads that differ from the usual one, in which fastkeras takes 2 ms and PyTorch 20, as said."""
    usual, products = whole_report()["workloads"]
    whole = [usual | {"name": f"w{i}", "title": f"work {i}"} | changes for i, changes in enumerate(workloads)]
    return whole_report(workloads=[*whole, products | {"goal": 100}])


def test_short_of_its_goal_is_what_is_too_slow_beside_the_fastest_peer_or_takes_too_long():
    found = report_of(
        {"goal": 10},
        {"goal": 10.5},
        {"goal": 1, "limit": 2e-3},
        {"goal": 1, "limit": 1.9e-3},
        {"goal": 100, "rows": [row(fastkeras=[1.0]), row(torch=[1.0])]},  # with nobody, or nothing, to compare
        {"goal": 4, "rows": [row(fastkeras=[1.0], torch=[5.0], tf=[3.0])]},
    )
    short = goals.short_of_goal(found)
    assert [(workload["name"], ours, gain) for workload, _, ours, gain in short] == [
        ("w1", 2e-3, 10.0),
        ("w3", 2e-3, 10.0),
        ("w5", 1.0, 3.0),
    ]


def test_a_workload_short_of_its_goal_is_told_with_its_roof():
    found = report_of({"goal": 40}, {"limit": 1e-3}, {"goal": 3})
    phases = [("projection", 1.8e-3, 1.5e-3), (WHOLE, 2.5e-3, 2.0e-3)]
    rows = [{"workload": "w0", "phase": phase, "seconds": s, "lost": lost} for phase, s, lost in phases]
    found["roofline"] = {"rows": rows}
    text = goals.markdown(found)
    assert cells(text, "| work 0")[1:] == ["ms a step", "40 x", "10.0 x", "2.00", "0.500", "40.0 x"]
    assert cells(text, "| work 1")[1:] == ["ms a step", "1 ms", "10.0 x", "2.00", "-", "-"]
    assert "work 2" not in text


def test_a_report_tells_what_is_short_of_its_goal(tmp_path):
    for goal, told in (40, True), (5, False):
        results.keeper(tmp_path)(report_of({"goal": goal}))
        results.publish(tmp_path)
        text = (tmp_path / "report.md").read_text()
        assert ("## Short of the goal\n\nAt the roof:" in text) is told
        assert ("caches pass faster than memory, so the roof is no strict bound.\n\n| workload" in text) is told


def test_every_workload_is_meant_to_be_no_slower_than_its_fastest_peer():
    assert min(work.goal for work in WORKLOADS.values()) == 1
    assert {name for name, work in WORKLOADS.items() if work.limit} == {"predict-one-row", "import"}
