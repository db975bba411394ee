# SPDX-License-Identifier: MIT
"""A clean tree, and for each rule of a gate a file that breaks it."""

from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
SPDX = "// SPDX-License-Identifier: MIT\n"
OPEN, BROKEN = "TO" "DO", "FIX" "ME"    # not here, for the gate reads this file too
KERNEL = "// SPDX-License-Identifier: GPL-2.0 OR MIT\n"

CLEAN = {
    ".clang-format": (TOP / ".clang-format").read_text(encoding="utf-8"),
    "hvcore/abi/call.h": SPDX + "#ifndef HV_ABI_CALL_H\n#define HV_ABI_CALL_H\n"
                                "#include <stdint.h>\nstruct hv_call {\n    uint32_t size;\n};\n"
                                "#endif\n",
    "hvcore/base/ring.hpp": SPDX + "#pragma once\n#include <cstdint>\n"
                                   "using word = std::uint64_t;\n",
    "hvcore/mem/frame.hpp": SPDX + '#pragma once\n#include "abi/call.h"\n'
                                   '#include "base/ring.hpp"\n',
    "hvcore/core.cpp": SPDX + '#include "mem/frame.hpp"\n',
    "hvcore/vmx/exit.hpp": SPDX + "#pragma once\n",
    "hvcore/svm/exit.hpp": SPDX + "#pragma once\n",
    "kmod/hv_main.c": KERNEL + '#include <linux/module.h>\n\n#include "abi/call.h"\n',
    "daemon/device/link.cpp": SPDX + '#include "abi/call.h"\n#include <netlink/netlink.h>\n',
    "daemon/api/session.hpp": SPDX + "#pragma once\n#include <string>\n",
    "cli/main.cpp": SPDX + '#include "api/session.hpp"\n',
}


def function(lines):
    return "int f(int a) {\n" + "    a += 1;\n" * (lines - 3) + "    return a;\n}\n"


LONG_MEMBER = ("struct s {\n    s(int a)\n        : a_{a} {\n" + "        a_ += 1;\n" * 40 +
               "    }\n    int a_;\n};\n")

# What is planted, the gate, the files, and what its report must name.
CASES = (
    ("a file without a licence", "check_headings", {"hvcore/base/a.hpp": "#pragma once\n"},
     "hvcore/base/a.hpp:1: no SPDX line"),
    ("the wrong licence", "check_headings", {"kmod/a.c": SPDX}, "kmod/a.c:1: licence MIT"),
    (f"a {OPEN} without an issue", "check_headings", {"cli/a.cpp": SPDX + f"// {OPEN}: more\n"},
     "cli/a.cpp:2"),
    (f"a {BROKEN}", "check_headings", {"cli/a.cpp": SPDX + f"\n// {BROKEN}(#3)\n"}, "cli/a.cpp:3"),
    ("a file of 301 lines", "check_sizes", {"daemon/a.cpp": SPDX + "\n" * 300},
     "daemon/a.cpp:301: 301 lines"),
    ("a line of 101 columns", "check_sizes", {"scripts/a.py": "x" * 101 + "\n"},
     "scripts/a.py:1: 101 columns"),
    ("a wide line of tabs", "check_sizes", {"kmod/a.c": KERNEL + "\t" * 13 + "\n"},
     "kmod/a.c:2: 104 columns"),
    ("a function of 41 lines", "check_functions", {"cli/a.cpp": SPDX + function(41)},
     "cli/a.cpp:2: f: 41 lines"),
    ("a long constructor", "check_functions", {"cli/a.cpp": SPDX + LONG_MEMBER},
     "cli/a.cpp:3: s: 43 lines"),
    ("a long kernel function", "check_functions",
     {"kmod/a.c": KERNEL + "static struct a *b(int c)\n{\n" + "\tc++;\n" * 40 + "}\n"},
     "kmod/a.c:2: b: 43 lines"),
    ("a long Python function", "check_functions",
     {"scripts/a.py": "def f():\n" + "    pass\n" * 41}, "scripts/a.py:1: f: 42 lines"),
    ("a long shell function", "check_functions",
     {"scripts/a.sh": "f() {\n" + "    :\n" * 41 + "}\n"}, "scripts/a.sh:1: f: 43 lines"),
    ("an include from a floor above", "check_floors",
     {"hvcore/base/a.hpp": SPDX + '#include "mem/frame.hpp"\n'},
     "hvcore/base/a.hpp:2: base (floor 1)"),
    ("one above in angle brackets", "check_floors",
     {"hvcore/base/a.hpp": SPDX + "#include <mem/frame.hpp>\n"}, "hvcore/base/a.hpp:2"),
    ("vmx that includes svm", "check_floors",
     {"hvcore/vmx/a.hpp": SPDX + '#include "svm/exit.hpp"\n'}, "hvcore/vmx/a.hpp:2"),
    ("a neighbour on the same floor", "check_floors",
     {"hvcore/arch/a.hpp": SPDX, "hvcore/event/a.hpp": SPDX + '#include "../arch/a.hpp"\n'},
     "hvcore/event/a.hpp:2"),
    ("a folder that is no floor", "check_floors",
     {"hvcore/util/a.hpp": SPDX + '#include "base/ring.hpp"\n'}, "hvcore/util/a.hpp:2"),
    ("a standard header that is not allowed", "check_floors",
     {"hvcore/mem/a.hpp": SPDX + "#include <vector>\n"}, "hvcore/mem/a.hpp:2: <vector>"),
    ("a module that includes the core", "check_floors",
     {"kmod/a.c": KERNEL + '#include "base/ring.hpp"\n'}, "kmod/a.c:2"),
    ("a module that includes KVM", "check_floors",
     {"kmod/a.c": KERNEL + "#include <linux/kvm_host.h>\n"}, "kmod/a.c:2"),
    ("JSON in daemon/device", "check_floors",
     {"daemon/device/a.cpp": SPDX + "#include <nlohmann/json.hpp>\n"}, "daemon/device/a.cpp:2"),
    ("netlink outside daemon/device", "check_floors",
     {"daemon/api/a.cpp": SPDX + "#include <netlink/netlink.h>\n"}, "daemon/api/a.cpp:2"),
    ("a command line that includes the module", "check_floors",
     {"kmod/hv.h": KERNEL, "cli/a.cpp": SPDX + '#include "kmod/hv.h"\n'}, "cli/a.cpp:2"),
    ("a type in _t", "check_names", {"cli/a.cpp": SPDX + "struct a_t {};\n"}, "cli/a.cpp:2"),
    ("a member in m_", "check_names", {"cli/a.cpp": SPDX + "struct a {\n    int m_b;\n};\n"},
     "cli/a.cpp:3"),
    ("a file named after nothing", "check_names", {"hvcore/mem/utils.hpp": SPDX},
     "hvcore/mem/utils.hpp:1"),
    ("a core of 9,000 lines", "check_core_size",
     {f"hvcore/base/a{n}.hpp": "int a;\n" * 250 for n in range(36)}, "9016 lines of code"),
    ("code that is not formatted", "check_format",
     {"hvcore/base/a.hpp": SPDX + "int  *a ;\n"}, "hvcore/base/a.hpp:2: not formatted"),
    ("what checkpatch sees", "check_kernel_style",
     {"kmod/a.c": KERNEL + "int a(void)\n{\n    return 0;\n}\n"}, "kmod/a.c:4"),
    ("a header that lacks an include", "check_headers",
     {"hvcore/base/a.hpp": SPDX + "#pragma once\nstd::uint64_t a();\n"},
     "hvcore/base/a.hpp:1: does not compile alone"),
    ("an ABI header that is not C", "check_headers",
     {"hvcore/abi/a.h": SPDX + "struct a {\n    int b = 1;\n};\n"},
     "hvcore/abi/a.h:1: does not compile alone"),
)
