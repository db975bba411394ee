# SPDX-License-Identifier: MIT
# summary: rules that only report, files that do, a rate of records, the log followed by filter
# rig: --test-build
# seconds: 200 300
# weight: 15

load_test_module
LSTAR='"kind": "msr", "msr": "ia32_lstar", "access": ["write"]'

policy() { # NAME MORE RULES
    printf '{"version": 1, "name": "%s", %s "rules": [%s]}\n' "$1" "$2" "$3" >/tmp/$1.json
    hvctl policy apply /tmp/$1.json 2>&1 >/dev/null
}
remove() { hvctl policy remove "$1" 2>&1 >/dev/null; }
moves_lstar() { faults "$1" lend_msr 0xc0000082 0x1000; }
# warned POLICY: how many records say what it would have stopped.
warned() {
    hvctl --json logs -n 400 --level warning |
        grep -cE "\"kind\": ?\"msr_logged\".*\"policy\": ?\"$1\".*would be denied by $1/"
}

a_rule_only_reports() {
    policy trial '' "{\"name\": \"lstar\", $LSTAR, \"action\": \"report-only\"}"
    action=$(hvctl --json policy show trial | flat | sed -n 's/^rules\.0\.action=//p')
    wrong 'its action' "$action" report-only
    moves_lstar 0
    at_least warnings "$(warned trial)" 1
    wrong 'denials' "$(records msr_denied '"policy": ?"trial"')" 0
    policy trial '' "{\"name\": \"lstar\", $LSTAR, \"action\": \"deny\"}"
    moves_lstar $GP
    recorded msr_denied '"policy": ?"trial"'
    remove trial
}

# The whole shipped file, in a mode in which none of its rules stops anything.
a_file_only_reports() {
    sed 's/"version": 1,/"version": 1, "mode": "report-only",/' \
        /usr/share/hv/policies/kernel-entry.json >/tmp/mode.json
    hvctl policy apply /tmp/mode.json 2>&1 >/dev/null
    moves_lstar 0
    at_least warnings "$(warned kernel-entry)" 1
    remove kernel-entry
}

# Two at once, then one in half an hour: the other writes are counted, and happen.
a_rule_has_a_rate() {
    policy rare '' "{\"name\": \"lstar\", $LSTAR, \"action\": \"log\",
        \"rate\": {\"records\": 2, \"per\": \"hour\"}}"
    for _ in 1 2 3 4 5; do
        moves_lstar 0
    done
    for _ in $(seq 50); do
        [ "$(records limited '"policy": ?"rare"')" = 0 ] || break
        usleep 100000
    done
    recorded limited '"policy": ?"rare".*"rule": ?"lstar"'
    wrong 'records written' "$(records msr_logged '"policy": ?"rare"')" 2
    remove rare
}

# Each filter for itself, while it is followed: what it lets through and what it does not.
followed() { # FILE PATTERN LINES
    for _ in $(seq 50); do
        [ "$(grep -cE "$2" "$1")" -lt "$3" ] || break
        usleep 100000
    done
    at_least "lines of $1 with $2" "$(grep -cE "$2" "$1")" "$3"
}
the_log_is_followed_by_filter() {
    policy one '' "{\"name\": \"lstar\", $LSTAR, \"action\": \"log\"}"
    policy two '' '{"name": "star", "kind": "msr", "msr": "ia32_star", "access": ["write"],
        "action": "deny"}'
    since=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    hvctl --json logs -f --since "$since" --rule one/lstar >/tmp/by_rule &
    hvctl --json logs -f --since "$since" --level warning >/tmp/by_level &
    hvctl --json logs -f --since "$since" --vm nobody >/tmp/by_vm &
    hvctl --json logs -f --since "$since" >/tmp/by_time &
    sleep 1
    moves_lstar 0
    faults $GP lend_msr 0xc0000081 0x1000
    followed /tmp/by_rule '"rule": ?"lstar"' 1
    followed /tmp/by_level '"rule": ?"star"' 1
    followed /tmp/by_time '"rule": ?"l?star"' 2
    wrong 'what --rule should not tell' "$(grep -c '"rule": ?"star"' /tmp/by_rule)" 0
    wrong 'what --level should not tell' "$(grep -c '"rule": ?"lstar"' /tmp/by_level)" 0
    wrong 'what --vm should not tell' "$(wc -l </tmp/by_vm)" 0
    kill %1 %2 %3 %4
    remove one
    remove two
}

check a_rule_only_reports
check a_file_only_reports
check a_rule_has_a_rate
check the_log_is_followed_by_filter
