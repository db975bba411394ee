# SPDX-License-Identifier: MIT
# Attacks on memory that Linux maps read-only, by hv_test.ko's `patch`.

beyond() { printf 0x%x $(($1 + $2)); }

# This shell itself on that CPU: nothing is started for an attack.
pin() { # MASK
    read -r own_pid _ </proc/self/stat
    taskset -p "$1" "$own_pid" >/dev/null
}
on_both() {
    for from in 0 1; do
        pin $((1 << from))
        "$@"
    done
    pin 3
}
# attack ADDRESS WAY CHANGE [KEEP]: what became of it is in $fault, $changed, $level, $table_fault.
attack() {
    fault=none changed=none level=none table_fault=none
    echo "patch $*" >/proc/hv_test 2>/dev/null || return
    while read -r name value; do
        case $name in
        fault) fault=$value ;;
        changed) changed=$value ;;
        level) level=$value ;;
        table_fault) table_fault=$value ;;
        esac
    done </proc/hv_test
}
# patched FAULT ADDRESS WAY CHANGE: the attack works (0), or meets that exception.
patched() {
    attack "$2" "$3" "$4"
    wrong "fault of patch $2 $3 on CPU $from" "$fault" "$1"
    [ "$1" = 0 ] || set -- "$1" "$2" "$3" 0x0
    wrong "what patch $2 $3 changed" "$changed" "$4"
}
# Through the direct map, a fresh alias, its own mapping, a huge page; unaligned, over two pages.
memory_patched() { # FAULT ADDRESS
    for way in 0 1 2 3; do
        patched "$1" "$2" $way 0x100
        [ $way != 3 ] || wrong 'level of the alias' "$level" 2
        patched "$1" "$(beyond $(($2 | 7)) 4)" $way 0x0
    done
    for way in 1 2; do
        patched "$1" "$(beyond $(($2 & -4096)) 4092)" $way 0x0
    done
}
