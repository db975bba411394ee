# SPDX-License-Identifier: MIT
# summary: as many rules as a set may have, in force and told again in the kernel's own messages
# seconds: 120 300
# weight: 25

rules() { # COUNT FIRST
    seq "$2" $(($2 + $1 - 1)) | sed 's/.*/{"name": "r&", "kind": "msr", "msr": &, "action": "log",\
        "access": ["write"]}/; $!s/$/,/'
}
policy() { # NAME COUNT FIRST
    printf '{"version": 1, "name": "%s", "rules": [%s]}\n' "$1" "$(rules "$2" "$3")" >/tmp/$1.json
}
listed() { hvctl --json policy list | flat | sed -n 's/.*rules=//p'; }

# More than the socket's usual buffer.
thousand_rules_are_told() {
    policy many 1024 2048
    hvctl policy apply /tmp/many.json 2>&1 >/dev/null
    wrong 'rules in the list' "$(listed)" 1024
}

# An hvd that has lost its names hears of them from the kernel.
thousand_rules_survive_hvd() {
    kill_hvd
    rm -f /run/hv/policies.json
    start_hvd
    wrong 'rules without names' "$(listed)" 1024
    wrong policies "$(policies)" 'many '
}

one_rule_too_many() {
    policy more 1 1024
    refused 1 'the core holds 1024' hvctl policy apply /tmp/more.json
    wrong 'rules in the list' "$(listed)" 1024
}

thousand_rules_end() {
    hvctl policy remove many 2>&1 >/dev/null
    wrong policies "$(policies)" ''
    clean
}

check thousand_rules_are_told
check thousand_rules_survive_hvd
check one_rule_too_many
check thousand_rules_end
