# SPDX-License-Identifier: MIT
"""Debian packages: found, downloaded and unpacked, never installed on the host."""

import os
import re
import shutil

from cache import CACHE, RigError, digest, fingerprint, locked, made, run

# What only maintainer scripts and package tools need; the guest installs nothing.
LEFT_OUT = re.compile(
    r"^(debconf|dpkg|perl-base|adduser|passwd|init-system-helpers|apt|tar|sensible-utils"
    r"|debianutils|cdebconf|mime-support|media-types|ucf|lsb-base|sysvinit-utils"
    r"|gcc-\d+-base|libpam.*|base-files|base-passwd|bash|dash|coreutils|diffutils|findutils"
    r"|grep|gzip|hostname|login|ncurses-b.*|sed|util-linux.*|mawk|libcrypt-dev)$")
BALLAST = ("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale",
           "usr/share/lintian", "usr/share/bug", "usr/share/icons", "usr/share/doc-base")
APT_STATE = [path for path in ("/var/lib/apt/lists", "/etc/apt/sources.list",
                               "/etc/apt/sources.list.d") if os.path.exists(path)]
SIMULATED = re.compile(r"^Inst (\S+) \((\S+) ", re.MULTILINE)


def closure(names):
    """Everything these packages depend on, as a sorted list of name=version. apt takes seconds to
    say so, hence it is asked once for each state of its lists."""
    def make(path):
        path.write_text("\n".join(asked_of_apt(names)))
    key = digest(*names, LEFT_OUT.pattern, *map(fingerprint, APT_STATE))
    return made("closures", key, make, keep=16).read_text().split("\n")


def asked_of_apt(names):
    """The same, from apt-get."""
    empty = CACHE / "no-packages-installed"
    CACHE.mkdir(parents=True, exist_ok=True)
    empty.touch()
    said = run(["apt-get", "-o", f"Dir::State::status={empty}", "-o", "Debug::NoLocking=1",
                "--no-install-recommends", "--simulate", "install", *names], text=True,
               env={**os.environ, "LC_ALL": "C"})
    found = {name.split(":")[0]: version for name, version in SIMULATED.findall(said)}
    wanted = {name.split("=")[0] for name in names}
    return sorted(f"{name}={version}" for name, version in found.items()
                  if name in wanted or not LEFT_OUT.match(name))


def downloaded(packages):
    """The .deb files of name=version packages, downloaded if they are not there yet."""
    store = CACHE / "debs"
    store.mkdir(parents=True, exist_ok=True)
    with locked("debs"):
        missing = [p for p in packages if not deb_of(store, p)]
        if missing:
            run(["apt-get", "-q", "download", *missing], cwd=store)
    files = {p: deb_of(store, p) for p in packages}
    lost = [p for p, file in files.items() if not file]
    if lost:
        raise RigError(f"apt-get did not bring {lost[0]}; run `apt-get update` and try again")
    return [files[p] for p in packages]


def deb_of(store, package):
    """The downloaded file of one name=version, or None."""
    name, version = package.split("=", 1)
    written = version.replace(":", "%3a")
    return next(iter(store.glob(f"{name}_{written}_*.deb")), None)


def unpacked(packages, folder):
    """Unpack name=version packages into a folder, without what nobody reads in a guest."""
    os.makedirs(folder, exist_ok=True)
    for deb in downloaded(packages):
        run(["dpkg-deb", "-x", deb, folder])
    for ballast in BALLAST:
        shutil.rmtree(os.path.join(folder, ballast), ignore_errors=True)


def newest(name):
    """The version of a package that apt would install."""
    said = run(["apt-cache", "policy", name], text=True, env={**os.environ, "LC_ALL": "C"})
    found = re.search(r"Candidate: (\S+)", said)
    if not found or found[1] == "(none)":
        raise RigError(f"apt knows no package {name}; run `apt-get update` and try again")
    return found[1]


def package_part(names, archive):
    """The initramfs part with these packages and what they depend on."""
    packages = closure(names)

    def make(path):
        tree = f"{path}.tree"
        unpacked(packages, tree)
        with archive(path) as out:
            for child in sorted(os.listdir(tree)):
                out.host(os.path.join(tree, child), child)
        shutil.rmtree(tree)
    return made("packages", digest(*packages, LEFT_OUT.pattern, BALLAST), make, keep=8)
