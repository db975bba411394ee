# SPDX-License-Identifier: MIT
# summary: hvd killed in a flood of records and started again: no gap while there was room
# rig: --test-build
# seconds: 300 900
# weight: 40

load_test_module
cat >/tmp/flood.json <<JSON
{"version": 1, "name": "flood", "rules": [
  {"name": "sysenter", "kind": "msr", "msr": "ia32_sysenter_cs", "access": ["write"],
   "action": "log"},
  {"name": "lstar", "kind": "msr", "msr": "ia32_lstar", "access": ["write"], "action": "deny"}]}
JSON
flood() { taskset -c 1 sh -c "echo rewrite 0x174 $1 >/proc/hv_test"; }

# What the log holds of the ring of CPU 1, and what the core says of it.
read_log() {
    hvctl --json logs -n 1 >/dev/null
    event_log <$LOG >/tmp/log
    stats 'cpus\.1\.records\..*' >/tmp/counts
    written=$(sed -n 1p /tmp/counts)
    dropped=$(sed -n 2p /tmp/counts)
}
logged() { sed -n "s/^kind $1 //p" /tmp/log; }
of_log() { sed -n "s/^$1 [^ ]* 1 //p" /tmp/log; }
same_as_core() {
    grep '^gap' /tmp/log | head -n 3
    wrong 'last in the log' "$(of_log last)" $((written - 1))
    wrong 'dropped by the log' "$(of_log dropped)" "$dropped"
}

enforced_without_hvd() { faults $GP wrmsr 0xc0000082 0; }

no_record_lost() {
    remark "$(logged msr_logged) of 120 records"
    wrong 'records in the log' "$(logged msr_logged)" 120
    wrong dropped "$dropped" 0
    same_as_core
}

# In the middle of a flood, several times.
no_gap_in_flood() {
    for _ in 1 2 3; do
        flood 3000 &
        flooding=$!
        usleep 20000
        kill_hvd
        start_hvd
        wait $flooding
    done
    read_log
    remark "$written records of CPU 1, $dropped dropped"
    same_as_core
}

# No reader and more records than the ring holds: what is written is there, the rest is counted.
drops_counted() {
    before=$((written + dropped)) dropped_before=$dropped
    kill_hvd
    flood 1000
    start_hvd
    read_log
    remark "$((dropped - dropped_before)) of 1000 dropped"
    wrong 'written and dropped' $((written + dropped - before)) 1000
    at_least 'records dropped' $((dropped - dropped_before)) 700
    at_least 'lines of the log that tell so' "$(logged dropped)" 1
    same_as_core
}

hvctl policy apply /tmp/flood.json >/tmp/out 2>&1 || fail apply_flood "$(cat /tmp/out)"
flood 20
kill_hvd
flood 100 # with the 20 fewer than the ring has
check enforced_without_hvd
start_hvd
read_log
check no_record_lost
check no_gap_in_flood
read_log
check drops_counted
