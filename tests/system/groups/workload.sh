# SPDX-License-Identifier: MIT
# summary: both CPUs busy with all that Linux does for 2 billion ticks: only CPUID exits grow
# seconds: 400 3000
# weight: 110
# tests: workload_runs workload_exits workload_registers

ticks=$(full 2000000000 20000000000)
hvctl --json stats | flat | grep '^reasons' | sort >/tmp/before
work "$ticks" >/tmp/work
ended=$?
hvctl --json stats | flat | grep '^reasons' | sort >/tmp/after
note workload_runs "$(tr '\n' ';' </tmp/work)"
verdict workload_runs "$(wrong status $ended 0)"
grew=$(sort /tmp/before /tmp/after | uniq -u | sed 's/=.*//; s/^reasons\.//' | sort -u | tr '\n' \
    ' ')
of_file() { sed -n "s/^reasons\.$2=//p" "$1"; }
note workload_exits "CPUID exits: $(($(of_file /tmp/after cpuid) - $(of_file /tmp/before cpuid)))"
# The two looks at the counters themselves are hypercalls of nobody: all they cost is CPUIDs of
# hvctl.
verdict workload_exits "$(wrong 'what grew' "$grew" 'cpuid ')"
verdict workload_registers "$(planted 1 >/tmp/planted || cat /tmp/planted)"
