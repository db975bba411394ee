# SPDX-License-Identifier: MIT
"""The parts of the guest's initramfs. Each is a file of its own, kept while what it is made of
stays the same; the kernel unpacks them one after the other, so a change costs its part only."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import cache
import elf
import terminal
from cache import BUILD, HERE, RigError, digest, fingerprint, made, run
from cpio import Archive

BUSYBOX = "/bin/busybox"
GUEST = HERE / "guest"
AGENT = "/usr/sbin/rig-agent"
STAGE = BUILD / "stage"
TEST_MODULES = {"/opt/hv/hv_test.ko": BUILD / "kmod-tests" / "hv_test.ko",
                "/opt/hv/hv_victim.ko": BUILD / "kmod-tests" / "hv_victim.ko",
                "/opt/hv/hv-hooks.ko": BUILD / "kmod-hooks" / "hv.ko"}
FOLDERS = ("dev", "proc", "sys", "run", "root", "opt", "mnt", "etc/rig", "var/log/hv", "var/lib",
           "usr/bin", "usr/sbin", "usr/lib", "usr/lib64")
NOT_IN_GUEST = ("usr/share/man", "usr/share/doc", "usr/share/bash-completion")
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
                  "user:x:1000:1000:someone without rights:/:/bin/sh\n",
    "etc/group": "root:x:0:\nhv:x:990:\nkvm:x:991:\nnogroup:x:65534:\nuser:x:1000:\n",
    "etc/shadow": "root::19000:0:99999:7:::\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "etc/hosts": "127.0.0.1 localhost hoist\n",
    "etc/hostname": "hoist\n",
    "etc/profile": "export PS1='\\u@hoist:\\w# '\n",
    "etc/machine-id": "0" * 31 + "1\n",
}


def agent():
    """The guest's first process, compiled when its source changed."""
    source = GUEST / "agent.c"
    key = digest(source.read_bytes(), (GUEST / "frame.h").read_bytes())
    return made("agent", key, lambda out: run(
        ["gcc", "-std=gnu11", "-O2", "-static", "-s", "-Wall", "-Wextra", "-Werror",
         "-o", out, source]))


def base(kernel):
    """busybox, the agent, the kernel's modules and the files that programs look for."""
    if not os.path.exists(BUSYBOX):
        raise RigError("busybox-static is not installed; run `make` as root once")
    first = agent()

    def make(path):
        with Archive(path) as out:
            for name in FOLDERS:
                out.folder(name)
            out.folder("tmp", 0o1777)
            for name in ("bin", "sbin", "lib", "lib64"):
                out.link_raw(name, f"usr/{name}")
            out.device("dev/console", 5, 1)
            out.host(first, AGENT)
            out.link("init", AGENT)
            out.host(os.path.realpath(BUSYBOX), "usr/bin/busybox")
            for applet in run([BUSYBOX, "--list-full"], text=True).split():
                if applet not in ("linuxrc", "bin/busybox", "sbin/init"):
                    out.link(applet, "/usr/bin/busybox")
            for name, text in FILES.items():
                out.bytes(name, text.encode(), 0o600 if "shadow" in name else 0o644)
            out.host(kernel.modules / "lib", "lib")
    return made("base", digest(kernel.folder.name, first.name, fingerprint(BUSYBOX),
                               (HERE / "parts.py").read_bytes(),
                               (HERE / "cpio.py").read_bytes()), make)


def tree_files(root):
    """Every file and link below a folder, as paths relative to it."""
    for folder, names, files in os.walk(root):
        names.sort()
        links = [name for name in names if os.path.islink(os.path.join(folder, name))]
        for name in sorted(files + links):
            yield os.path.relpath(os.path.join(folder, name), root)


def wanted_in_guest(name):
    """Whether an installed file is of use where nobody reads manuals."""
    return not name.startswith(NOT_IN_GUEST)


def stage(kernel, test_build):
    """This build as `make install` would install it, with the libraries it needs."""
    sources = {f"/{name}": STAGE / name for name in tree_files(STAGE) if wanted_in_guest(name)}
    if test_build:
        sources |= TEST_MODULES
        missing = [source for source in TEST_MODULES.values() if not source.exists()]
        if missing:
            raise RigError(f"--test-build: {missing[0]} is not there; run `make modules`")
    check_modules(sources, kernel)

    def make(path):
        with tempfile.TemporaryDirectory(dir=path.parent) as work, Archive(path) as out:
            for number, (target, source) in enumerate(sources.items()):
                out.host(elf.stripped(source, os.path.join(work, str(number))), target)
            for library in elf.libraries(sources.values()):
                out.host(os.path.realpath(library), library)
            add_module_index(kernel, sources, out, work)
    return made("stage", digest(kernel.folder.name, (HERE / "parts.py").read_bytes(),
                                *(t + fingerprint(s) for t, s in sources.items())), make, keep=8)


def check_modules(sources, kernel):
    """Modules for another kernel would only fail later and less clearly."""
    for target in sources:
        words = pathlib.PurePath(target).parts
        if words[1:3] == ("lib", "modules") and words[3] != kernel.version:
            raise RigError(f"build/stage has modules for {words[3]} but the machine boots "
                           f"{kernel.version}; run `make stage` again or set KVER")


def add_module_index(kernel, sources, out, work):
    """Let modprobe in the guest know the staged modules too."""
    folder = pathlib.Path("lib/modules") / kernel.version
    tree = pathlib.Path(work) / "index"
    shutil.copytree(kernel.modules, tree)
    for target, source in sources.items():
        if target.startswith(f"/{folder}"):
            (tree / target[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, tree / target[1:])
    run(["depmod", "-b", tree, kernel.version])
    for index in sorted((tree / folder).glob("modules.*")):
        out.host(index, str(folder / index.name))


def added(host, guest):
    """A file or folder of the host."""
    def make(path):
        with Archive(path) as out:
            out.host(host if os.path.islink(host) and os.path.isdir(host)
                     else os.path.realpath(host), guest)
    return made("added", digest(host, guest, *map(fingerprint, files_at(host))), make, keep=32)


def added_libraries(hosts):
    """The libraries of the programs among added files. They come before the packages, whose
    libraries may be newer, but always fit each other."""
    files = [file for host in hosts for file in files_at(host)]

    def make(path):
        with Archive(path) as out:
            for library in elf.libraries(files):
                out.host(os.path.realpath(library), library)
    return made("libraries", digest(*map(fingerprint, files)), make, keep=32)


def files_at(host):
    """The file itself, or a folder and all in it."""
    if not os.path.lexists(host):
        raise RigError(f"--add {host}: there is no such file")
    below = tree_files(host) if os.path.isdir(host) else ()
    return [host, *(os.path.join(host, name) for name in below)]


def session(path, options, kernel):
    """What this one call wants: the command, and the hoist before it. Never cached."""
    with Archive(path) as out:
        if options.shell:
            out.bytes("etc/rig/shell", b"")
            out.bytes("etc/profile", (FILES["etc/profile"] + terminal.profile()).encode())
        else:
            out.bytes("etc/rig/command", b"".join(os.fsencode(word) + b"\0"
                                                  for word in options.command))
        if options.hoist:
            out.bytes("etc/rig/hoist", (GUEST / "hoist.sh").read_bytes(), 0o755)
        if options.boot_files:
            out.host(kernel.vmlinuz, "boot/vmlinuz")
            out.host(base(kernel), "boot/initrd")


def ensure_stage():
    """Build what the guest needs if nobody has yet."""
    if not STAGE.is_dir():
        print("rig: build/stage is not there yet: running `make stage` once", file=sys.stderr)
        if subprocess.run(["make", "-C", cache.TOP, "stage"], stdin=subprocess.DEVNULL,
                          stdout=sys.stderr, check=False).returncode:
            raise RigError("`make stage` failed; its last lines say why")
