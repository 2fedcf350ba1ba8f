"""Builds fastkeras: the C kernels once per instruction set, and the Cython wrappers once.

`src_c/*.c` becomes one shared library per instruction set (`fastkeras/_kernels/libfk_<isa>.so`). The wrappers
leave the kernels' symbols open; `fastkeras/_kernels/__init__.py` loads the best library the machine can run
before it imports the first wrapper. FASTKERAS_WERROR=1 turns the compiler's warnings into errors.
"""

import os
import platform
import subprocess
import sys
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).parent
IS_X86 = platform.machine().lower() in ("x86_64", "amd64")

# -fno-math-errno and -fno-trapping-math let loops vectorise and change no result; -ffast-math would.
# -ffp-contract=fast lets a*b + c become one fused operation, as every BLAS does.
KERNEL_FLAGS = ["-std=c11", "-O3", "-g0", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math",
                "-Wall", "-Wextra"]  # fmt: skip
WRAPPER_FLAGS = ["-O2", "-g0", "-fno-strict-aliasing", "-Wall", "-Wextra", "-Wno-unused-parameter",
                 "-Wno-missing-field-initializers", "-Wno-cast-function-type", "-Wno-sign-compare",
                 "-DNPY_NO_DEPRECATED_API=NPY_1_7_API_VERSION", "-DCYTHON_WITHOUT_ASSERTIONS"]  # fmt: skip

# The names must match fastkeras/_kernels/__init__.py.
INSTRUCTION_SETS = (
    {
        "baseline": [],
        "avx2": ["-mavx2", "-mfma"],
        "avx512": ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma", "-mprefer-vector-width=512"],
    }
    if IS_X86
    else {"neon": []}
    if platform.machine().lower() in ("aarch64", "arm64")
    else {"baseline": []}
)


def accepted(flags):
    """Those of `flags` (a compiler option, or a list that belongs together) that this machine's C compiler takes."""
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "probe.c")
        source.write_text("int main(void) { return 0; }\n")
        for group in flags:
            group = [group] if isinstance(group, str) else group
            command = [*os.environ.get("CC", "cc").split(), "-Werror", *group, str(source), "-o", f"{folder}/probe"]
            if subprocess.run(command, capture_output=True).returncode == 0:
                taken += group
    return taken


class InstructionSet(Extension):
    """All of src_c, compiled for one instruction set into a plain shared library."""

    def __init__(self, isa, flags):
        sources = sorted(str(path.relative_to(HERE)) for path in HERE.glob("src_c/*.c"))
        headers = sorted(str(path.relative_to(HERE)) for path in HERE.glob("src_c/*.h"))
        super().__init__(f"fastkeras._kernels.libfk_{isa}", sources, depends=headers, extra_compile_args=flags)
        self.isa = isa


class BuildKernels(build_ext):
    def build_extensions(self):
        # Without OpenMP there is one thread, and no use for its pragmas and for what they alone read.
        openmp = accepted(["-fopenmp"]) or accepted(["-Wno-unknown-pragmas", "-Wno-unused-variable"])
        self.optional_flags = openmp + accepted(["-fno-semantic-interposition"])
        self.link_flags = accepted([f for f in ("-fopenmp", "-Wl,-s") if sys.platform != "darwin" or f != "-Wl,-s"])
        self.strict = ["-Werror"] if os.environ.get("FASTKERAS_WERROR") == "1" else []
        self.parallel = os.cpu_count() or 1  # extensions at a time
        with ThreadPoolExecutor(self.parallel) as self.pool:
            super().build_extensions()

    def get_ext_filename(self, fullname):
        if "libfk_" in fullname:
            return os.path.join(*fullname.split(".")) + ".so"
        return super().get_ext_filename(fullname)

    def build_extension(self, ext):
        if isinstance(ext, InstructionSet):
            self.build_library(ext)
            return
        ext.extra_compile_args = [*ext.extra_compile_args, *self.strict]
        ext.extra_link_args = [*ext.extra_link_args, *self.link_flags]
        super().build_extension(ext)

    def build_library(self, ext):
        """Compiles what is older than its source or any header, several files at a time, and links it.

        The objects are kept in build/kernels, where any later build of this checkout finds them: `pip install -e .` has
        a temporary folder for each build. Those of other flags are others.
        """
        flags = [*ext.extra_compile_args, *self.optional_flags, *self.strict]
        command = zlib.crc32(repr([*self.compiler.compiler_so, *flags]).encode())
        folder = os.path.join("build", "kernels", f"{ext.isa}-{command:08x}")
        newest_header = max(os.path.getmtime(path) for path in [*ext.depends, __file__])

        def compile_one(source):
            (target,) = self.compiler.object_filenames([source], output_dir=folder)
            newest = max(newest_header, os.path.getmtime(source))
            if self.force or not os.path.exists(target) or os.path.getmtime(target) < newest:
                self.compiler.compile([source], output_dir=folder, extra_postargs=flags)
            return target

        objects = list(self.pool.map(compile_one, ext.sources))
        path = self.get_ext_fullpath(ext.name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.compiler.link_shared_object(objects, path, libraries=["m"], extra_postargs=self.link_flags)


def wrappers():
    for path in sorted(HERE.glob("fastkeras/_kernels/*.pyx")):
        yield Extension(
            f"fastkeras._kernels.{path.stem}",
            [str(path.relative_to(HERE))],
            include_dirs=["src_c", numpy.get_include()],
            extra_compile_args=WRAPPER_FLAGS,
        )


libraries = [InstructionSet(isa, KERNEL_FLAGS + flags) for isa, flags in INSTRUCTION_SETS.items()]
directives = {"language_level": "3", "boundscheck": False, "wraparound": False, "cdivision": True}
setup(
    ext_modules=libraries + cythonize(list(wrappers()), compiler_directives=directives, nthreads=os.cpu_count() or 1),
    cmdclass={"build_ext": BuildKernels},
)
