// SPDX-License-Identifier: MIT
// gate: list
#include <array>

#include "cli/definition.hpp"
#include "cli/run.hpp"

namespace hv::cli {
namespace {

constexpr std::array<argument_text, 0> nothing_given{};
constexpr std::array<option_text, 0> no_options{};

constexpr std::array policy_file{argument_text{"FILE", "a policy file", completes::file}};
constexpr std::array policy_name{
    argument_text{"NAME", "a policy in force, as policy list names it", completes::policy}};
constexpr std::array marker_name{argument_text{
    "NAME", "a marker that rules in force wait for, as policy show names it", completes::marker}};
constexpr std::array one_cpu{
    argument_text{"CPU", "Linux's number of the CPU; without it, all", completes::nothing, true}};
constexpr std::array shell_name{argument_text{"SHELL", "bash, zsh or fish", completes::shell},
                                argument_text{"PROGRAM",
                                              "hvctl, which it is unless given, or hv-run",
                                              completes::nothing, true}};

constexpr std::array status_options{
    option_text{"--audit", "", "let the core walk its second-stage tables, and say what it found"}};
constexpr std::array top_options{
    option_text{"-n,--count", "COUNT", "end after COUNT rounds"},
    option_text{"--interval", "SECONDS", "time between two rounds, 1 unless given"}};
constexpr std::array logs_options{
    option_text{"-f,--follow", "", "go on with what is written from now on"},
    option_text{"--since", "TIME",
                "only from this time on: 2025-01-31T12:00:00Z, or how long ago, as 90s 10m 2h 1d"},
    option_text{"--until", "TIME", "only up to this time"},
    option_text{"--rule", "POLICY[/RULE]",
                "only what this policy, or this rule of it, brought about"},
    option_text{"--vm", "NAME", "only of this VM; root is the Linux that is hoisted",
                completes::vm},
    option_text{"--level", "LEVEL", "only info, warning or error, and what is worse"},
    option_text{"-n,--lines", "COUNT", "only the last COUNT"},
    option_text{"--verify", "",
                "print nothing of it, but say whether a line was removed or altered"},
    option_text{"--file", "FILE", "what to verify, /var/log/hv/events.jsonl unless given",
                completes::file}};
constexpr std::array man_options{
    option_text{"--out", "DIR", "the folder to write to; it must be there", completes::folder}};
constexpr std::array vm_name{argument_text{"NAME", "a VM, as vm list names it", completes::vm}};
constexpr std::array any_policy{
    argument_text{"NAME", "a policy in force; without it, all are meant", completes::policy, true}};
constexpr std::array any_vm{argument_text{
    "NAME", "a VM, as vm list names it; without it, all that run", completes::vm, true}};
constexpr std::array new_vm{argument_text{
    "NAME", "a-z 0-9 - _ . and at most 32 of them; with --file, instead of the name in the file",
    completes::nothing, true}};

// What a VM is made of: first in the options of each verb that makes one.
constexpr option_text kernel_option{
    "--kernel", "FILE", "the Linux to boot: a bzImage, or an ELF vmlinux", completes::file};
constexpr option_text initrd_option{"--initrd", "FILE", "its initial RAM disk", completes::file};
constexpr option_text command_line_option{
    "--command-line", "TEXT", "its command line, console=ttyS0 panic=-1 pci=off unless given"};
constexpr option_text cpus_option{"--cpus", "COUNT", "virtual CPUs, 1 unless given"};
constexpr option_text memory_option{"--memory", "SIZE", "such as 256M, which it is unless given"};
constexpr option_text memory_limit_option{
    "--memory-limit", "SIZE", "what its process may have in all; the memory and 64M unless given"};
constexpr option_text cpu_limit_option{"--cpu-limit", "PERCENT",
                                       "of one CPU; no limit unless given"};
constexpr option_text file_option{"--file", "FILE",
                                  "a VM file, instead of all of these options; "
                                  "/usr/share/hv/schema/vm.schema.json describes it",
                                  completes::file};
constexpr option_text console_option{"-c,--console", "",
                                     "stay on its console; ctrl-] leaves it, and the VM goes on"};
constexpr std::array create_options{kernel_option,    initrd_option, command_line_option,
                                    cpus_option,      memory_option, memory_limit_option,
                                    cpu_limit_option, file_option};
constexpr std::array run_options{kernel_option,    initrd_option, command_line_option,
                                 cpus_option,      memory_option, memory_limit_option,
                                 cpu_limit_option, file_option,   console_option};
constexpr std::array start_options{console_option};
constexpr std::array vm_stop_options{option_text{
    "--timeout", "SECONDS", "how long it may take to power off, 10 unless given; 0: no time"}};
constexpr std::array everywhere{option_text{"--json", "", "print JSON, one object a line"}};

using text = std::string_view;
constexpr std::array start_examples{text{"hvctl start"}};
constexpr std::array stop_examples{text{"hvctl stop"}};
constexpr std::array status_examples{text{"hvctl status --audit"},
                                     text{"hvctl --json status | jq .core_sha256"}};
constexpr std::array stats_examples{text{"hvctl --json stats | jq .reasons.cpuid"}};
constexpr std::array top_examples{text{"hvctl top"}, text{"hvctl top -n 1 --interval 5"}};
constexpr std::array dump_examples{text{"hvctl dump 0"}};
constexpr std::array logs_examples{
    text{"hvctl logs -f"}, text{"hvctl logs --since 10m"}, text{"hvctl --json logs -n 100"},
    text{"hvctl logs -f --level warning"}, text{"hvctl logs --verify"}};
constexpr std::array check_examples{text{"hvctl policy check /etc/hv/policies.d/mine.json"}};
constexpr std::array apply_examples{
    text{"hvctl policy apply /usr/share/hv/policies/control-registers.json"}};
constexpr std::array list_examples{text{"hvctl policy list"}};
constexpr std::array show_examples{text{"hvctl policy show control-registers"}};
constexpr std::array remove_examples{text{"hvctl policy remove control-registers"}};
constexpr std::array lock_examples{text{"hvctl policy lock"}};
constexpr std::array seal_examples{text{"hvctl policy seal"}};
constexpr std::array mark_examples{text{"hvctl policy mark services-started"}};
constexpr std::array verify_examples{text{"hvctl policy verify"}};
constexpr std::array vm_run_examples{
    text{"hvctl vm run --kernel /boot/vmlinuz --initrd app.cpio --cpus 2 --memory 256M web"},
    text{"hvctl vm run --console --file web.json"}};
constexpr std::array vm_create_examples{
    text{"hvctl vm create --kernel /boot/vmlinuz --initrd app.cpio --cpu-limit 50 web"}};
constexpr std::array vm_start_examples{text{"hvctl vm start web"}};
constexpr std::array vm_stop_examples{text{"hvctl vm stop --timeout 60 web"}};
constexpr std::array vm_kill_examples{text{"hvctl vm kill web"}};
constexpr std::array vm_pause_examples{text{"hvctl vm pause web"}};
constexpr std::array vm_resume_examples{text{"hvctl vm resume web"}};
constexpr std::array vm_rm_examples{text{"hvctl vm rm web"}};
constexpr std::array vm_list_examples{
    text{"hvctl vm list"}, text{"hvctl --json vm list | jq -r '.vms[] | select(.pid) | .name'"}};
constexpr std::array vm_show_examples{text{"hvctl vm show web"}};
constexpr std::array vm_console_examples{text{"hvctl vm console web"}};
constexpr std::array vm_stats_examples{text{"hvctl --json vm stats web | jq .memory_used_bytes"}};
constexpr std::array version_examples{text{"hvctl version"}};
constexpr std::array man_examples{text{"hvctl generate man --out build/man"}};
constexpr std::array completion_examples{
    text{"hvctl generate completion bash > /etc/bash_completion.d/hvctl"}};

constexpr std::array all{
    verb{"start", "hoist: put the running Linux under the core, on every CPU",
         "All CPUs or none: when one cannot be hoisted, the others are given back, and the error "
         "names the CPU, the step and the reason. The policies in /etc/hv/policies.d are read "
         "first and are in force when the command returns. Without hvd, hv.ko hoists just the "
         "same, but no policy is applied and no record is kept.",
         nothing_given, no_options, start_examples, run_start},
    verb{"stop", "unhoist: give every CPU back to Linux",
         "Refused once the policy is locked, and while a rule's lifetime is \"ratchet\".",
         nothing_given, no_options, stop_examples, run_stop},
    verb{"status", "say what is hoisted, and which policies are in force",
         "Works without hvd, straight from hv.ko. With --audit, the exit status is 1 when the "
         "audit found a fault.",
         nothing_given, status_options, status_examples, run_status},
    verb{"stats", "count exits by CPU and reason, and records written and dropped",
         "Counts since the hoist. Works without hvd.", nothing_given, no_options, stats_examples,
         run_stats},
    verb{"top", "show exits per second, again and again",
         "On a terminal each round takes the place of the one before. Works without hvd.",
         nothing_given, top_options, top_examples, run_top},
    verb{"dump", "print a CPU's state at its last exit",
         "General and control registers, and the controls the core runs it with. For root only. "
         "Works without hvd.",
         one_cpu, no_options, dump_examples, run_dump},
    verb{"logs", "print the records of the core",
         "Oldest first. hvd keeps them in /var/log/hv/events.jsonl; hvd(8) names the fields. Each "
         "line names the hash of the one before it: --verify checks that, over all files and "
         "without hvd, and names the first line that does not fit.",
         nothing_given, logs_options, logs_examples, run_logs},
    verb{"policy check", "say whether a policy file is sound, and change nothing",
         "Every error names file, line, column and key. A sound file's rules are listed with what "
         "each costs. Works without hvd and without hv.ko; kernel symbols are then resolved only "
         "for root.",
         policy_file, no_options, check_examples, run_policy_check},
    verb{"policy apply", "enforce a policy file",
         "Takes the place of a policy of the same name. It holds until it is removed or Linux is "
         "unhoisted; a file in /etc/hv/policies.d is applied again at each start. Nothing is "
         "changed when the file is not sound.",
         policy_file, no_options, apply_examples, run_policy_apply},
    verb{"policy list", "name the policies in force", "As hv.ko enforces them.", nothing_given,
         no_options, list_examples, run_policy_list},
    verb{"policy show", "print the rules of a policy in force",
         "With the addresses that kernel "
         "symbols were resolved to, and the ids that records carry.",
         policy_name, no_options, show_examples, run_policy_show},
    verb{"policy remove", "enforce a policy no more",
         "Refused once the policy is locked, and while a rule of it is in force that is not "
         "revocable.",
         policy_name, no_options, remove_examples, run_policy_remove},
    verb{
        "policy seal", "put the rules in force that wait for it",
        "Those that say \"when\": \"seal\", all at once. Rules that come later wait no more, until "
        "Linux is unhoisted.",
        nothing_given, no_options, seal_examples, run_policy_seal},
    verb{"policy mark", "put the rules in force that wait for a marker",
         "Those that say \"when\": {\"marker\": NAME}, of all policies, all at once. Rules that "
         "come "
         "later wait for it no more, until Linux is unhoisted. Refused where nothing waits for it: "
         "the error names the markers that are waited for.",
         marker_name, no_options, mark_examples, run_policy_mark},
    verb{"policy lock", "let nothing be loosened before the next boot",
         "A ratchet: from now on rules can be added, but none changed or removed, Linux cannot be "
         "unhoisted, and hv.ko not be unloaded; not by root either.",
         nothing_given, no_options, lock_examples, run_policy_lock},
    verb{"policy verify", "compare what rules of kind hash are about with its sums",
         "Linux itself computes the SHA-256 sums, so their word is worth what the rules that close "
         "its memory are worth. What differs is in the log too, and the exit status is 1.",
         any_policy, no_options, verify_examples, run_policy_verify},
    verb{"vm run", "start a micro VM that no file describes",
         "Boots the kernel straight away: no firmware, no disk, a serial console. It runs as a "
         "process of its own (hv-vmm), as a user of its own, within its limits, and goes on when "
         "hvd or hvctl end. Without a kernel file, enough memory, or with a name that is taken, "
         "nothing is started.",
         new_vm, run_options, vm_run_examples, run_vm_run},
    verb{"vm create", "describe a micro VM in a file, to be started by name",
         "Writes /etc/hv/vms.d/NAME.json, which may be changed by hand: it is read at each start.",
         new_vm, create_options, vm_create_examples, run_vm_create},
    verb{"vm start", "start a VM that a file in /etc/hv/vms.d describes", "As vm run does.",
         vm_name, start_options, vm_start_examples, run_vm_start},
    verb{"vm stop", "press a VM's power button, and wait until it is off",
         "A VM that does not power off in time is killed.", vm_name, vm_stop_options,
         vm_stop_examples, run_vm_stop},
    verb{"vm kill", "end a VM at once", "Whatever it is doing, and whether it answers or not.",
         vm_name, no_options, vm_kill_examples, run_vm_kill},
    verb{"vm pause", "hold all CPUs of a VM", "Its memory stays, its time goes on.", vm_name,
         no_options, vm_pause_examples, run_vm_pause},
    verb{"vm resume", "let a paused VM go on", "From where it was held.", vm_name, no_options,
         vm_resume_examples, run_vm_resume},
    verb{"vm rm", "forget a VM that does not run",
         "Removes its file in /etc/hv/vms.d, where there is one.", vm_name, no_options,
         vm_rm_examples, run_vm_rm},
    verb{"vm list", "name every VM: those that files describe, and all that run",
         "Also those that other programs, such as QEMU, run on /dev/hvkvm.", nothing_given,
         no_options, vm_list_examples, run_vm_list},
    verb{"vm show", "print what a VM is made of, and how it fares", "From its file, or as it runs.",
         vm_name, no_options, vm_show_examples, run_vm_show},
    verb{"vm console", "be at a VM's serial console",
         "Begins with the last 64 KiB that it wrote. Several may be at one console. On a terminal "
         "ctrl-] leaves it; what is piped in is typed, and the output ends with the VM.",
         vm_name, no_options, vm_console_examples, run_vm_console},
    verb{"vm stats", "count a VM's time, memory and exits", "Since its start.", any_vm, no_options,
         vm_stats_examples, run_vm_stats},
    verb{"version", "print the versions of hvctl, hvd and hv.ko",
         "What is not there is said to "
         "be.",
         nothing_given, no_options, version_examples, run_version},
    verb{
        "generate man", "write the manual pages",
        "hvctl.1, hv-vmm.1, hv-run.1 and hvd.8, from the definitions that the programs parse their "
        "arguments with.",
        nothing_given, man_options, man_examples, run_generate_man},
    verb{"generate completion", "print the completion for a shell", "On standard output.",
         shell_name, no_options, completion_examples, run_generate_completion},
};

constexpr std::array grouped{
    verb_group{"policy", "rules that the core enforces"},
    verb_group{"vm", "micro VMs"},
    verb_group{"generate", "manual pages and shell completion"},
};

constexpr std::array statuses{
    exit_text{done, "done"},
    exit_text{refused, "refused or failed; one line on standard error says what, why, and what "
                       "to do"},
    exit_text{usage, "the command line was not understood"},
};

}

std::span<verb const> verbs() { return all; }
std::span<verb_group const> groups() { return grouped; }
std::span<option_text const> common_options() { return everywhere; }
std::span<exit_text const> exit_texts() { return statuses; }

}
