// SPDX-License-Identifier: MIT
#pragma once

#include "cli/context.hpp"

namespace hv::cli {

// One function per verb; each gives the exit status, or throws refusal or usage_error.
int run_start(context& with, invocation const& what);
int run_stop(context& with, invocation const& what);
int run_status(context& with, invocation const& what);
int run_stats(context& with, invocation const& what);
int run_top(context& with, invocation const& what);
int run_dump(context& with, invocation const& what);
int run_logs(context& with, invocation const& what);
int run_policy_check(context& with, invocation const& what);
int run_policy_apply(context& with, invocation const& what);
int run_policy_list(context& with, invocation const& what);
int run_policy_show(context& with, invocation const& what);
int run_policy_remove(context& with, invocation const& what);
int run_policy_lock(context& with, invocation const& what);
int run_policy_seal(context& with, invocation const& what);
int run_policy_mark(context& with, invocation const& what);
int run_policy_verify(context& with, invocation const& what);
int run_version(context& with, invocation const& what);
int run_generate_man(context& with, invocation const& what);
int run_generate_completion(context& with, invocation const& what);
/// Checks the chain of the log at `path`, without hvd.
int verify_logs(context& with, std::string const& path);
/// For one of the three shells.
std::string hv_run_completion(std::string const& shell);

int run_vm_run(context& with, invocation const& what);
int run_vm_create(context& with, invocation const& what);
int run_vm_start(context& with, invocation const& what);
int run_vm_stop(context& with, invocation const& what);
int run_vm_kill(context& with, invocation const& what);
int run_vm_pause(context& with, invocation const& what);
int run_vm_resume(context& with, invocation const& what);
int run_vm_rm(context& with, invocation const& what);
int run_vm_list(context& with, invocation const& what);
int run_vm_show(context& with, invocation const& what);
int run_vm_console(context& with, invocation const& what);
int run_vm_stats(context& with, invocation const& what);

/// This terminal, or standard input and output, on a VM's serial line.
int attach_console(context& with, client& hvd, std::string const& name);

/// From hvd, or from hv.ko itself where hvd is down; `audit` adds the auditor's findings.
nlohmann::ordered_json fetch_status(context const& with, bool audit);
nlohmann::ordered_json fetch_stats(context const& with);

}
