# SPDX-License-Identifier: MIT
# summary: a CPU with VMX, but without EPT and unrestricted guest; with SVM, but without nested
# paging
# rig: --no-hoist --test-build
# bochs: --cpu-model core2_penryn_t9600
# qemu: --cpu-model EPYC,+svm,-npt
# weight: 20

no_second_stage_named() {
    refused 1 "CPU 0: .*($(by_backend EPT 'nested paging')|capabilities)" hvctl start
    wrong hoisted "$(status hoisted)" false
}
no_second_stage_unharmed() { same_state /tmp/before; }

insert_hv
load_test_module
start_hvd
t snapshot
cp "$ANSWER" /tmp/before
check no_second_stage_named
check no_second_stage_unharmed
