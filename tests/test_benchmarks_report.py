"""The benchmarks' reports: figures, tables, plots, and runs that go on with earlier ones."""

import json
import sys

import pytest
from benchmark_cases import cells, row, short_report, whole_report

from benchmarks import __main__ as command
from benchmarks import compare, report, results
from benchmarks.workloads import WORKLOADS


def test_a_ratio_is_the_median_of_the_rounds_ratios():
    measured = row(fastkeras=[1.0, 2.0, 4.0], torch=[3.0, 8.0, 8.0], tf=[9.0, 9.0, 9.0])
    assert report.ratio(measured, "torch") == 3.0  # of 3, 4, 2; the medians' ratio would be 4
    assert report.fastest_peer(measured) == "torch"
    assert report.ratio(measured, "fastkeras") is None
    assert report.ratio(row(torch=[1.0]), "torch") is None
    assert report.fastest_peer(row(fastkeras=[1.0])) is None


def test_the_preparation_is_what_the_first_epoch_takes_beyond_a_later_one():
    peer = row(torch=[0.01, 0.04, 0.02])["peers"]["torch"]
    assert report.preparation(peer) == pytest.approx(2.5 - 50 * 0.02)
    assert report.preparation(peer | {"times": [0.1]}) == 0
    assert report.preparation(peer | {"first": None}) is None


def test_losses_are_compared_over_the_epochs_that_both_trained():
    found = row(fastkeras=[1.0], torch=[1.0], tf=[1.0])
    for name, losses in {"fastkeras": [2.0, 1.0, 0.5], "torch": [2.0, 1.1], "tf": []}.items():
        found["peers"][name]["losses"] = losses
    assert report.loss_difference(found, "torch") == pytest.approx(0.05)  # of the first loss
    assert report.loss_difference(found, "tf") is None
    assert report.loss_difference(found, "fastkeras") is None
    assert report.loss_difference(row(torch=[1.0]), "torch") is None


def test_spread_is_the_distance_of_the_quartiles_over_the_median():
    assert report.spread([4.0, 1.0, 2.0, 3.0, 5.0]) == pytest.approx(2.0 / 3.0)
    assert report.spread([4.0]) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (1234.4, "1234"), (45.67, "45.7"), (4.567, "4.57"), (0.4567, "0.457"), (0.0123, "0.0123")],
)
def test_numbers_have_three_digits(value, text):
    assert report.number(value) == text


def test_the_report_says_machine_versions_and_what_is_missing():
    text = report.markdown(whole_report())
    assert "A processor, AVX2, 2 processors, Linux; 2 threads\n" in text
    assert "Measured on 2026-11-23." in text
    assert "- PyTorch: torch 2.0" in text
    assert "- TF + Keras 3: skipped: No module named 'tensorflow'" in text


def test_the_report_has_a_line_for_each_workload():
    text = report.markdown(whole_report())
    steps, losses, preparation, memory = text.split("| workload")[1:]
    assert "Medians of 3 rounds" in text
    assert cells("| workload" + steps, "| workload")[-3:] == ["spread", "against the fastest", "goal"]
    assert cells(steps, "| a model") == ["a model", "32", "ms a step", "2.00", "20.0", "50%", "10.0 x", "10 x"]
    assert cells(losses, "| a model") == ["a model", "-", "0e+00"]
    assert cells(preparation, "| a model") == ["a model", "2.40", "1.50"]
    assert cells(memory, "| a model") == ["a model", "64.0", "64.0"]
    assert cells(text, "| 92.0") == ["92.0", "865"]  # numpy is no peer
    assert cells(text, "| 2 x 3 x 5 y") == ["2 x 3 x 5 y", "2.00", "1.00", "0.0300", "0.500", "50%"]


def test_sizes_are_a_table_of_their_own_and_figures_are_shown_where_they_belong():
    found = whole_report()
    sweep = found["workloads"][0] | {
        "title": "a sweep",
        "axis": "rows",
        "rows": [row(torch=[0.5]) | {"case": "8", "x": 8}],
    }
    found["workloads"].append(sweep)
    text = report.markdown(found, ["steps.svg", "sizes.svg"])
    assert text.index("| a model") < text.index("## Time and size") < text.index("| a sweep, 8")
    assert text.index("## Time\n\n![Time](steps.svg)") < text.index("## Time and size\n\n![Time and size](sizes.svg)")
    assert "losses.svg" not in text
    assert "## Time and size" not in report.markdown(whole_report())


def test_a_report_of_nothing_is_its_heading():
    text = report.markdown(whole_report(workloads=[], installed={}))
    assert "A processor" in text
    assert "|" not in text


def test_a_peer_without_a_time_is_a_dash():
    found = whole_report()
    found["workloads"][0]["rows"].append(row(torch=[0.5]) | {"case": "long"})
    assert cells(report.markdown(found).split("| workload")[1], "| a model, long")[3:] == ["-", "500", "-", "-", "10 x"]


def test_details_have_a_line_for_each_peer():
    text = report.details(whole_report()["workloads"][0])
    assert "## steps: a model, batch 32" in text
    assert "Keras on JAX failed: it broke" in text
    assert cells(text, "| fastkeras") == ["fastkeras", "2.00", "50%", "-", "3", "2.40", "64.0", "0.125", "1%"]
    assert cells(text, "| PyTorch")[1:4] == ["20.0", "50%", "10.0"]


def test_a_later_run_replaces_its_workloads_and_keeps_the_others():
    earlier = short_report("char-lstm", "tiny-mlp", installed={"fastkeras": 1}, missing={"tf": "no", "jax": "no"})
    later = short_report("tiny-mlp", "gemm", versions={"fastkeras": {"fastkeras": "1.0"}, "tf": {"keras": "3"}},
                         installed={"tf": 2}, missing={})  # fmt: skip
    later["workloads"][0]["title"] = "later"
    both = results.merged(earlier, later)
    assert [(w["name"], w["title"]) for w in both["workloads"]] == [
        ("gemm", "a model"),
        ("tiny-mlp", "later"),
        ("char-lstm", "a model"),
    ]
    assert both["versions"].keys() == {"fastkeras", "torch", "tf"}
    assert both["installed"] == {"fastkeras": 1, "tf": 2}
    assert both["missing"] == {"jax": "no"}  # TensorFlow was found later
    assert results.merged(None, later) is later
    assert results.merged(earlier | {"roofline": {"rows": []}}, later)["roofline"] == {"rows": []}


def test_results_from_before_there_were_goals_have_those_of_today(tmp_path, monkeypatch, capsys):
    found = short_report("gemm", "predict-one-row", "tiny-mlp", "one that is no more")
    for workload in found["workloads"]:
        del workload["goal"], workload["limit"]
    found["workloads"][2] |= {"goal": 7}
    (tmp_path / "results.json").write_text(json.dumps(found))
    read = results.read(tmp_path)["workloads"]
    one_row = WORKLOADS["predict-one-row"]
    assert [(workload["goal"], workload["limit"]) for workload in read] == [
        (WORKLOADS["gemm"].goal, None),
        (one_row.goal, one_row.limit),
        (7, None),
        (1.0, None),
    ]
    assert one_row.limit
    results.publish(tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert "| 7 x |" in text.replace("  ", "")
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--tables", str(tmp_path / "results.json")])
    assert command.main() == 0
    assert "7 x |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"threads": 1}, "threads 2, now 1"),
        ({"machine": {"cpu": "another"}}, "machine .* now {'cpu': 'another'}"),
        ({"versions": {"torch": {"torch": "2.1"}}}, r"versions of torch {'torch': '2.0'}, now {'torch': '2.1'}"),
    ],
)
def test_results_of_other_circumstances_are_not_mixed(changes, what):
    with pytest.raises(results.ResultsError, match=what):
        results.merged(short_report("gemm"), short_report("gemm", **changes))


def test_the_command_prints_the_reports_of_files(tmp_path, monkeypatch, capsys):
    for name, threads in ("one.json", 1), ("two.json", 2):
        (tmp_path / name).write_text(json.dumps(whole_report(threads=threads)))
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--tables", str(tmp_path / "one.json"), str(tmp_path / "two.json")])
    assert command.main() == 0
    printed = capsys.readouterr().out
    assert printed.index("1 thread\n") < printed.index("2 threads\n")


def run_of(*names):
    """A stand-in for compare.run that has measured these workloads; it calls `keep` before and after each."""

    def run(chosen, pythons, threads, rounds, texts, roofline, keep):
        assert (threads, rounds, roofline) == (2, 4, False)
        for n in range(len(names) + 1):
            keep(short_report(*names[:n]))
        return short_report(*names)

    return run


def test_the_command_writes_a_report_and_goes_on_with_it(tmp_path, monkeypatch, capsys):
    arguments = ["benchmarks", "--threads", "2", "--repeat", "4", "--report", str(tmp_path / "new" / "report")]
    monkeypatch.setattr(sys, "argv", arguments)
    for names in ["reuters-lstm"], ["tiny-mlp", "char-lstm"]:
        monkeypatch.setattr(compare, "run", run_of(*names))
        assert command.main() == 1  # JAX failed
    folder = tmp_path / "new" / "report"
    report = json.loads((folder / "results.json").read_text())
    assert [workload["name"] for workload in report["workloads"]] == ["tiny-mlp", "reuters-lstm", "char-lstm"]
    assert (folder / "report.md").read_text().count("| a model") == 5 * 3
    assert "report.md, steps.svg" in capsys.readouterr().out

    monkeypatch.setattr(compare, "run", lambda *arguments: arguments[-1](short_report(threads=1)))
    with pytest.raises(SystemExit, match="another run: threads 2, now 1"):
        command.main()


def test_without_matplotlib_a_report_has_no_plots_and_says_so(tmp_path, monkeypatch):
    for name in list(sys.modules):
        if name == "benchmarks.plots" or name.split(".")[0] == "matplotlib":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("benchmarks.plots", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    results.keeper(tmp_path)(short_report("tiny-mlp"))
    said = results.publish(tmp_path)
    assert said.endswith('no plots: matplotlib is not installed (pip install "fastkeras[plots]")')
    assert "svg" not in (tmp_path / "report.md").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.md", "results.json"]


def test_a_report_ends_with_the_roofline(tmp_path):
    found = {"threads": 2, "peak": 7e9, "bandwidth": 3e9, "rows": []}
    results.keeper(tmp_path)(short_report("tiny-mlp", roofline=found))
    results.publish(tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert "## Where fastkeras's steps lose\n\nFastest product: 7.00 GFLOP/s; memory: 3.00 GB/s" in text


def test_plots_are_drawn_again_from_a_folder(tmp_path, monkeypatch, capsys):
    found = short_report("tiny-mlp", "import", "first-epoch-imdb-simple-rnn")
    found["workloads"][1]["rows"][0]["case"] = "numpy included"
    for name in "fastkeras", "torch":
        found["workloads"][0]["rows"][0]["peers"][name]["losses"] = [0.5, 0.25]
    points = [row(fastkeras=[0.001 * n], torch=[0.002]) | {"case": str(n), "x": n} for n in (8, 32)]
    found["workloads"].append(found["workloads"][0] | {"name": "sweep-batch", "axis": "rows", "rows": points})
    monkeypatch.setattr(sys, "argv", ["results", str(tmp_path)])
    with pytest.raises(SystemExit):
        results.main()
    assert "no results.json in" in capsys.readouterr().err

    results.keeper(tmp_path)(found)
    results.main()
    drawn = ["costs.svg", "losses.svg", "sizes.svg", "steps.svg"]
    assert sorted(path.name for path in tmp_path.glob("*.svg")) == drawn
    report = (tmp_path / "report.md").read_text()
    for name in drawn:
        text = (tmp_path / name).read_text()
        assert text.count("fastkeras") > 0
        assert len(text) < 100_000
        assert f"({name})" in report
    before = (tmp_path / "steps.svg").read_bytes()
    results.main()
    assert (tmp_path / "steps.svg").read_bytes() == before
