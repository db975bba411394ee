// SPDX-License-Identifier: MIT
#include <fstream>

#include "cli/run.hpp"
#include "daemon/hvd_options.hpp"
#include "daemon/hvrun/options.hpp"
#include "daemon/vmm/options.hpp"

namespace hv::cli {
namespace {

/// Text for roff: no line may start with a control character, and '-' is a hyphen there.
std::string roff(std::string_view text) {
    std::string out;
    for (char const each : text) {
        if (each == '-' || each == '\\') out += '\\';
        out += each;
    }
    return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

std::string bold(std::string_view text) { return "\\fB" + roff(text) + "\\fR"; }
std::string slanted(std::string_view text) { return "\\fI" + roff(text) + "\\fR"; }
std::string item(std::string const& head, std::string_view text) {
    return ".TP\n" + head + "\n" + roff(text) + "\n";
}

std::string title(char const* name, char const* section) {
    return std::string{".\\\" Written by hvctl generate man.\n.TH "} + name + " " + section +
           " \"\" \"hoist " HV_VERSION "\" \"Hoist\"\n";
}

std::string option_head(option_text const& each) {
    std::string head;
    for (auto rest = each.names; !rest.empty();) {
        auto const comma = rest.find(',');
        head += (head.empty() ? "" : ", ") + bold(rest.substr(0, comma));
        rest = comma == rest.npos ? std::string_view{} : rest.substr(comma + 1);
    }
    return each.argument.empty() ? head : head + " " + slanted(each.argument);
}

std::string verb_section(verb const& each) {
    std::string head = bold(each.name);
    for (auto const& argument : each.arguments) {
        head += argument.optional ? " [" + slanted(argument.name) + "]"
                                  : " " + slanted(argument.name);
    }
    for (auto const& option : each.options) {
        head += " [" + option_head(option) + "]";
    }
    std::string out = ".SS \"" + head + "\"\n" + roff(each.summary) + ".\n.PP\n" +
                      roff(each.description) + "\n";
    for (auto const& argument : each.arguments) {
        out += item(slanted(argument.name), argument.help);
    }
    for (auto const& option : each.options) {
        out += item(option_head(option), option.help);
    }
    for (auto const& example : each.examples) {
        out += ".PP\n.nf\n.RS\n" + roff(example) + "\n.RE\n.fi\n";
    }
    return out;
}

std::string hvctl_page() {
    std::string out = title("HVCTL", "1") +
                      ".SH NAME\nhvctl \\- hoist a running Linux, and rule it from below\n"
                      ".SH SYNOPSIS\n" +
                      bold("hvctl") + " [" + bold("--json") + "] " + slanted("VERB") + " [" +
                      slanted("ARGUMENT") + "]...\n.SH OPTIONS\n";
    for (auto const& each : common_options()) {
        out += item(option_head(each), each.help);
    }
    out += item(bold("-h") + ", " + bold("--help"), "print help, also after a verb");
    out += ".SH VERBS\n";
    for (auto const& each : verbs()) {
        out += verb_section(each);
    }
    out += ".SH \"EXIT STATUS\"\n";
    for (auto const& each : exit_texts()) {
        out += item(bold(std::to_string(each.status)), each.meaning);
    }
    out += ".SH ENVIRONMENT\n" +
           item(bold("HVD_SOCKET"), "hvd's socket, /run/hv/hvd.sock unless "
                                    "set") +
           item(bold("NO_COLOR"), "when set and not empty, no colour on a terminal");
    return out + ".SH \"SEE ALSO\"\n" + bold("hvd") + "(8), " + bold("hv-vmm") + "(1), " +
           bold("hv-run") + "(1)\n";
}

std::string hv_vmm_page() {
    std::string out = title("HV-VMM", "1") + ".SH NAME\nhv-vmm \\- " + roff(vmm::program_summary) +
                      "\n.SH SYNOPSIS\n" + bold("hv-vmm") + " " + bold("--kernel") + " " +
                      slanted("FILE") + " [" + slanted("OPTION") + "]...\n.SH DESCRIPTION\n" +
                      roff("What hvd runs a micro VM with (hvctl vm run); it can also be used "
                           "alone, with any KVM. Once its files are open it confines itself with "
                           "seccomp; while the VM runs it can open, make and start nothing. Gives "
                           "the VM memory, CPUs, a 16550 serial line, a clock, ACPI's power button "
                           "and power off. ") +
                      roff(vmm::descriptor_text) + "\n.SH OPTIONS\n";
    for (auto const& each : vmm::option_texts) {
        auto const name = bold(std::string{"--"} + each.name);
        out += item(*each.argument != '\0' ? name + " " + slanted(each.argument) : name, each.help);
    }
    out += ".SH \"EXIT STATUS\"\n";
    for (auto const& each : vmm::exit_texts) {
        out += item(bold(std::to_string(each.status)), each.meaning);
    }
    return out + ".SH \"SEE ALSO\"\n" + bold("hvctl") + "(1), " + bold("hvd") + "(8)\n";
}

std::string hv_run_page() {
    std::string out =
        title("HV-RUN", "1") + ".SH NAME\nhv-run \\- " + roff(hvrun::program_summary) +
        "\n.SH SYNOPSIS\n" + bold("hv-run") + " [" + slanted("OPTION") + "]... " +
        slanted("PROGRAM") + " [" + slanted("ARGUMENT") + "]...\n.SH DESCRIPTION\n" +
        roff("For programs that only know KVM's own name, such as QEMU 7.2 and "
             "Firecracker. Makes a mount namespace in which /dev/kvm is Hoist's node, "
             "and executes PROGRAM there. It needs no rights but those to open the "
             "node: whoever is not root gets a user namespace, too, and stays the same "
             "user and group in it; set-user-ID programs are without effect there. "
             "Where there is no /dev/kvm, /dev is a copy of what was there when it "
             "started.") +
        "\n.SH OPTIONS\n";
    for (auto const& each : hvrun::option_texts) {
        auto const name = bold(std::string{"--"} + each.name);
        out += item(*each.argument != '\0' ? name + " " + slanted(each.argument) : name, each.help);
    }
    out += ".SH \"EXIT STATUS\"\n" + item(slanted("PROGRAM") + "'s own, or", "");
    for (auto const& each : hvrun::exit_texts) {
        out += item(bold(std::to_string(each.status)), each.meaning);
    }
    return out + ".SH \"SEE ALSO\"\n" + bold("hvctl") + "(1), " + bold("hv-vmm") + "(1)\n";
}

std::string hvd_page() {
    std::string out = title("HVD", "8") + ".SH NAME\nhvd \\- " + roff(hvd_summary) +
                      "\n.SH SYNOPSIS\n" + bold("hvd") + " [" + slanted("OPTION") + "]...\n" +
                      ".SH DESCRIPTION\n" +
                      roff("Talks to hv.ko over generic netlink, compiles the policies in "
                           "/etc/hv/policies.d and has them enforced, writes each record of the "
                           "core to /var/log/hv/events.jsonl (and the journal) before hv.ko may "
                           "forget it, and answers hvctl. What it enforced stays enforced when it "
                           "ends, however it ends.") +
                      "\n.SH OPTIONS\n";
    for (auto const& each : hvd_options) {
        auto const name = bold(std::string{"--"} + each.name);
        out += item(*each.argument != '\0' ? name + " " + slanted(each.argument) : name, each.help);
    }
    out += ".SH FILES\n";
    out += item(slanted("/etc/hv/hvd.json"), "its configuration; "
                                             "/usr/share/hv/schema/hvd.schema.json describes it");
    out += item(slanted("/etc/hv/policies.d/*.json"), "policies that start applies");
    out += item(slanted("/etc/hv/vms.d/*.json"), "micro VMs that hvctl vm start knows");
    out += item(slanted("/run/hv/vms/NAME"), "the sockets of a VM that runs");
    out += item(slanted("/run/hv/hvd.sock"), "JSON-RPC 2.0, one object a line; root may do "
                                             "everything, the group hv may read");
    out += item(slanted("/run/hv/policies.json"), "the names of the rules in force");
    out += item(slanted("/var/log/hv/events.jsonl"), "the records, one JSON object a line");
    return out + ".SH \"SEE ALSO\"\n" + bold("hvctl") + "(1), " + bold("hv-vmm") + "(1)\n";
}

void write_page(std::string const& path, std::string const& text) {
    std::ofstream file{path};
    file << text;
    file.flush();
    if (!file) throw refusal{path + ": cannot be written: is its folder there?"};
}

}

int run_generate_man(context&, invocation const& what) {
    if (!what.has("out")) throw usage_error{"generate man: --out DIR is missing"};
    write_page(what.text("out") + "/hvctl.1", hvctl_page());
    write_page(what.text("out") + "/hv-vmm.1", hv_vmm_page());
    write_page(what.text("out") + "/hv-run.1", hv_run_page());
    write_page(what.text("out") + "/hvd.8", hvd_page());
    return done;
}

}
