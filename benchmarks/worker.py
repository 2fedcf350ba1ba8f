"""The process of one peer: answers the requests of peer.py, and sleeps until the next one comes."""

import contextlib
import json
import os
import sys
import traceback
from pathlib import Path

from benchmarks import installed, libraries
from benchmarks.workloads import WORKLOADS


class Worker:
    """name: of libraries.LIBRARIES. threads: how many the library may use."""

    def __init__(self, name, threads):
        self.name = name
        self.threads = threads

    def load(self):
        self.library = libraries.load(self.name, self.threads)
        return self.library.versions

    def installed(self):
        return installed.size(libraries.LIBRARIES[self.name].modules)

    def start(self, workload, path):
        return self._start(WORKLOADS[workload], path)

    def first_epoch(self, workload, path):
        return self._start(WORKLOADS[workload].training, path)

    def _start(self, workload, path):
        self.session = workload.start(self.library, path)
        return {"first": self.session.first, "units": self.session.units}

    def roofline(self, names, folder):
        from benchmarks import data, roofline

        data.folder = folder and Path(folder)
        return roofline.measure(names, self.threads)

    def measure(self, case):
        return self.session.measure(case)

    def losses(self):
        return self.session.losses()

    def memory(self):
        return self.session.memory()

    def answer(self, do, **arguments):
        """{"result": ...}, {"missing": what is not installed} or {"error": a traceback}"""
        try:
            return {"result": getattr(self, do)(**arguments)}
        except ModuleNotFoundError as error:
            return {"missing": str(error)}
        except Exception:
            return {"error": traceback.format_exc()}


def confine(threads):
    """Lets this process and its threads run on no more processors than `threads`."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def main(name, threads):
    confine(int(threads))
    worker = Worker(name, int(threads))
    # What libraries print must not come between the answers: their standard output becomes standard error.
    with open(os.dup(1), "w") as answers, contextlib.suppress(KeyboardInterrupt):
        os.dup2(2, 1)
        for request in sys.stdin:
            print(json.dumps(worker.answer(**json.loads(request))), file=answers, flush=True)
