# SPDX-License-Identifier: MIT
"""What the gates (scripts/check_*) share: which files are ours, and how a finding is told."""

import os
import signal
import sys
from pathlib import Path

# A reader that has seen enough (| head) is no error.
signal.signal(signal.SIGPIPE, signal.SIG_DFL)

CODE_FOLDERS = ("hvcore", "kmod", "kvm-shim", "daemon", "cli", "scripts", "tests", "cmake")
KERNEL_FOLDERS = ("kmod", "kvm-shim", "tests/kmod")
C_FAMILY = (".c", ".h", ".cpp", ".hpp", ".S")
OTHER_CODE = (".py", ".sh", ".cmake", ".ld", ".lds")
CODE_NAMES = ("CMakeLists.txt", "Makefile", "Kbuild")
IGNORED = {".git", ".cache", "build", "corpus", "__pycache__"}

HERE = Path(__file__).resolve().parent
SKIPPED = 77    # exit status of a gate that could not look


def top():
    """The tree to look at: the first argument, or the project this script is in."""
    given = [a for a in sys.argv[1:] if not a.startswith("--")]
    return Path(given[0]).resolve() if given else HERE.parent


def is_kernel(path):
    return any(path.startswith(folder + "/") for folder in KERNEL_FOLDERS)


def is_code(path):
    if path.suffix in C_FAMILY + OTHER_CODE or path.name in CODE_NAMES:
        return True
    if path.suffix:
        return False
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def files(root, folders=CODE_FOLDERS, suffixes=None):
    """Paths, relative to root, of the code files below the folders, sorted."""
    found = []
    for folder in folders:
        for at, names, leaves in os.walk(root / folder):
            names[:] = [n for n in names if n not in IGNORED]
            for leaf in leaves:
                path = Path(at) / leaf
                if path.is_symlink() or not path.is_file():
                    continue
                if path.suffix in suffixes if suffixes else is_code(path):
                    found.append(str(path.relative_to(root)))
    return sorted(set(found))


def lines(root, path):
    return (root / path).read_text(encoding="utf-8", errors="replace").splitlines()


class gate:
    """Counts findings; finish() gives the exit status."""

    def __init__(self, subject):
        self.subject = subject
        self.findings = 0

    def fail(self, path, line, what, advice):
        self.findings += 1
        print(f"{path}:{line}: {what}; {advice}")

    def finish(self, passed):
        if self.findings:
            print(f"{self.subject}: {self.findings} findings")
            return 1
        print(f"{self.subject}: {passed}")
        return 0
