# SPDX-License-Identifier: MIT
"""Where the rig keeps things, and how several rigs at once share what they make."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = TOP / "build"
HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("HV_CACHE") or TOP / ".cache").absolute()


class RigError(Exception):
    """What the rig itself cannot do; the text is the one line its user sees."""


def run(command, **options):
    """Run a tool of the host; its own words go into the error if it fails."""
    try:
        done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL,
                              capture_output=True, check=False, **options)
    except FileNotFoundError as missing:
        raise RigError(f"{missing.filename} is not installed; run `make` as root once: "
                       "it installs what the rig needs") from None
    if done.returncode:
        words = (done.stderr or done.stdout)
        words = words.decode(errors="replace") if isinstance(words, bytes) else words
        last = [line for line in words.strip().splitlines() if line.strip()][-1:]
        raise RigError(f"{command[0]} failed with status {done.returncode}: "
                       f"{''.join(last) or 'no message'}")
    return done.stdout


def digest(*parts):
    """A short name for what is made of these parts (texts, numbers, bytes)."""
    seen = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        seen.update(len(data).to_bytes(8, "little") + data)
    return seen.hexdigest()[:20]


def fingerprint(path):
    """What tells one state of a file from the next without reading it."""
    found = os.lstat(path)
    link = os.readlink(path) if os.path.islink(path) else ""
    return f"{path}:{found.st_mode}:{found.st_size}:{found.st_mtime_ns}:{link}"


@contextlib.contextmanager
def locked(name):
    """Only one rig at a time makes the thing of this name."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def made(kind, key, make, keep=4):
    """The cached file `kind-key`, made by make(path) if it is not there yet.

    Older ones of that kind go, but for the `keep` used last.
    """
    path = CACHE / kind / key
    with locked(kind):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as work:
                fresh = pathlib.Path(work) / "out"
                make(fresh)
                os.rename(fresh, path)
        os.utime(path)
        age = sorted((p for p in path.parent.iterdir() if not p.name.startswith(".")),
                     key=lambda p: p.stat().st_mtime, reverse=True)
        for old in age[keep:]:
            shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
    return path
