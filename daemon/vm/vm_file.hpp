// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "daemon/text/document.hpp"
#include "daemon/text/vm_name.hpp"

namespace hv {

/// A VM as its file describes it; configs/schema/vm.schema.json says the same.
struct vm_definition {
    std::string name;
    std::string description;
    std::string kernel;
    std::string initrd;
    std::string command_line = "console=ttyS0 panic=-1 pci=off";
    unsigned cpus = 1;
    std::uint64_t memory_bytes = 256u << 20;
    std::optional<std::uint64_t> memory_limit;    // of its process; else the memory and some more
    std::optional<unsigned> cpu_limit;            // percent of one CPU
};

/// path   what errors call the text; empty: they name the key alone.
/// name   if given, instead of the name in the text, which may then lack one.
/// Errors: document_error.
vm_definition read_vm(std::string const& path, std::string text,
                      std::optional<std::string> const& name = {});
nlohmann::ordered_json vm_json(vm_definition const& vm);

/// Errors: vm_error; also for a file that is larger than any VM file is.
std::string read_vm_text(std::string const& path);

}
