# SPDX-License-Identifier: MIT
"""Small core images with and without what check_image must see, and a build tree's call list."""

import json
import subprocess

FLAGS = ["-std=c++20", "-ffreestanding", "-fno-exceptions", "-fno-rtti", "-fno-pie", "-no-pie",
         "-nostdlib", "-static", "-O1", "-Wl,-e,entry", "-Wl,--unresolved-symbols=ignore-all",
         "-fno-asynchronous-unwind-tables", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments",
         "-w"]
IMAGE = "build/gcc/hvcore/hvcore.debug"
ENTRY = 'extern "C" int entry() { return %s; }\n'

# What the gate does with it, source, further flags, what it must name (None: it passes).
CASES = (
    ("passes a clean image", ENTRY % "7", [], None),
    ("sees an undefined symbol", "[[gnu::weak]] int outside();\n" + ENTRY % "outside()", [],
     "undefined symbol _Z7outsidev"),
    ("sees a guard variable",
     "int outside() { return 1; }\n"
     'extern "C" int __cxa_guard_acquire(long*) { return 1; }\n'
     'extern "C" void __cxa_guard_release(long*) {}\n'
     "int once(int v) { static int a = v; return a; }\n" + ENTRY % "once(outside())", ["-O0"],
     "guard variable for"),
    ("sees a global constructor", "struct a { a() { asm volatile(\"\"); } int b; };\na c;\n" +
     ENTRY % "c.b", [], "section .init_array"),
    ("sees writable data", "int counter = 3;\n" + ENTRY % "counter++", [],
     "writable data in .data"),
    ("sees a writable and executable segment", ENTRY % "7", ["-Wl,-N"], "writable and executable"),
    ("sees a dynamic image", ENTRY % "7", ["-pie", "-fpie", "-Wl,-Bdynamic"], "segment DYNAMIC"),
)


def build(folder, source, flags):
    path = folder / IMAGE
    built = path.parent / "CMakeFiles/hvcore.dir/core.cpp.o"
    built.parent.mkdir(parents=True)
    words = [f for f in FLAGS if not (f in ("-static", "-no-pie", "-fno-pie") and "-pie" in flags)]
    subprocess.run(["g++", *words, *flags, "-c", "-x", "c++", "-", "-o", str(built)], input=source,
                   text=True, check=True)
    subprocess.run(["g++", *words, *flags, str(built), "-o", str(path)], check=True)


def commands(folder):
    """As CMake would write them for the clean tree."""
    entries = []
    for name in ("hvcore/core.cpp", "daemon/device/link.cpp"):
        source = folder / name
        entries.append({"directory": str(folder), "file": str(source), "command":
                        f"g++ -std=c++20 -I{folder}/hvcore -o source.o -c {source}"})
    path = folder / "build/gcc/compile_commands.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(entries), encoding="utf-8")
