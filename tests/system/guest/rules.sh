# SPDX-License-Identifier: MIT
# Policies of rules, and what attacks come to under them: what the groups on policies share.

policy() { # NAME RULES
    printf '{"version": 1, "name": "%s", "rules": [%s]}\n' "$1" "$2" >"/tmp/$1.json"
    hvctl policy apply "/tmp/$1.json" 2>&1 >/dev/null
}
remove() { hvctl policy remove "$1" 2>&1 >/dev/null; }
# kept, changed COMMAND…: a reason where the register does not have, or has, its old value during
# the command, which must not fault.
kept() {
    faults 0 "$@"
    wrong "the value during $*" "$(of during)" "$(of before)"
}
changed() {
    faults 0 "$@"
    [ "$(of during)" != "$(of before)" ] || echo "$* changes nothing; "
}
# The same on either CPU, and that the command meets #GP there.
kept_on_each_cpu() { # COMMAND…
    for cpu in 0 1; do
        on $cpu "$@"
        wrong "fault of $* on CPU $cpu" "$(of fault)" 0
        wrong "the value on CPU $cpu" "$(of during)" "$(of before)"
    done
}
denied_on_each_cpu() {
    for cpu in 0 1; do
        on $cpu "$@"
        wrong "fault of $* on CPU $cpu" "$(of fault)" $GP
        wrong "the value on CPU $cpu" "$(of during)" "$(of before)"
    done
}

# Of guest VMs, and how many there are.
guest_rule() { # KIND-AND-WHAT ACTION [GUESTS]
    policy guests '{"name": "guest", '"$1"', "action": "'"$2"'",
        "guests": '"${3:-$OF_THE_USER}"'}'
}
port() { echo "\"kind\": \"io\", \"ports\": $1, \"access\": [\"$2\"]"; }
wait_for_vms() {
    for _ in $(seq 100); do
        [ "$(status vms)" = "$1" ] && return
        usleep 100000
    done
    wrong VMs "$(status vms)" "$1"
}
