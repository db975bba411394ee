# SPDX-License-Identifier: MIT
# summary: hvd killed in a flood of records and started again: no gap while there was room, drops
# counted
# rig: --test-build
# seconds: 300 900
# weight: 40
# tests: enforced_without_hvd no_record_lost no_gap_in_flood drops_counted drops_reported

load_test_module
cat >/tmp/flood.json <<JSON
{"version": 1, "name": "flood", "rules": [
  {"name": "sysenter", "kind": "msr", "msr": "ia32_sysenter_cs", "access": ["write"], "action": \
      "log"},
  {"name": "lstar", "kind": "msr", "msr": "ia32_lstar", "access": ["write"], "action": "deny"}]}
JSON
hvctl policy apply /tmp/flood.json >/tmp/out 2>&1 || fail apply_flood "$(cat /tmp/out)"
kill_hvd() {
    kill -9 "$(pidof hvd)"
    while pidof hvd >/dev/null; do usleep 1000; done
}
flood() { taskset -c 1 sh -c "echo rewrite 0x174 $1 >/proc/hv_test"; }
# gaps: where the sequence numbers of a ring do not go up by one, over all of the log.
gaps() {
    cat $LOG | sed -n \
        's/.*"session": *"\([^"]*\)", *"ring": *\([0-9]*\), *"sequence": *\([0-9]*\).*/\1 \2 \3/p' |
        awk '{
            key = $1 " " $2
            if (key in last && $3 != last[key] + 1)
                print "ring " $2 " goes from " last[key] " to " $3
            last[key] = $3
        }' | head -n 3
}
logged() { grep -c '"kind": *"msr_logged"' $LOG; }
written() { stats "cpus\.$1\.records\.written"; }
last_of_ring() { grep "\"ring\": *$1," $LOG | sed -n 's/.*"sequence": *\([0-9]*\).*/\1/p' | tail \
    -n 1; }

# Room for all: fewer than the ring has.
flood 20
kill_hvd
flood 100
verdict enforced_without_hvd "$(wrong LSTAR "$(ask fault wrmsr 0xc0000082 0)" 13)"
start_hvd
hvctl --json logs -n 1 >/dev/null
note no_record_lost "$(logged) of 120 records"
verdict no_record_lost "$(wrong 'records in the log' "$(logged)" 120
    wrong dropped "$(stats 'records\.dropped')" 0
    gaps)"

# In the middle of a flood, several times.
for _ in 1 2 3; do
    flood 3000 &
    flooding=$!
    usleep 20000
    kill_hvd
    start_hvd
    wait $flooding
done
hvctl --json logs -n 1 >/dev/null
ring=1
note no_gap_in_flood "$(written 1) records of CPU 1, $(stats 'cpus\.1\.records\.dropped') dropped"
verdict no_gap_in_flood "$(gaps; wrong 'last in the log' "$(last_of_ring \
    $ring)" $(($(written 1) - 1)))"

# No reader and more records than the ring holds: what is written is there, the rest is counted.
kill_hvd
before_written=$(written 1) before_dropped=$(stats 'cpus\.1\.records\.dropped')
flood 1000
now_written=$(($(written 1) - before_written)) \
    now_dropped=$(($(stats 'cpus\.1\.records\.dropped') - before_dropped))
note drops_counted "$now_written written, $now_dropped dropped of 1000"
verdict drops_counted "$([ $now_dropped -ge 700 ] || echo "only $now_dropped dropped; "
    [ $((now_written + now_dropped)) -ge 1000 ] || echo \
        "$((now_written + now_dropped)) of 1000 accounted for")"
start_hvd
hvctl --json logs -n 1 >/dev/null
total=$(stats 'cpus\.1\.records\.dropped')
verdict drops_reported "$(gaps
    grep '"kind": *"dropped"' $LOG | grep -q "\"dropped_total\": *$total" || echo \
        "the log does not tell of $total dropped records; "
    wrong 'last in the log' "$(last_of_ring $ring)" $(($(written 1) - 1)))"
