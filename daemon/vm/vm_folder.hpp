// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "daemon/vm/vm_file.hpp"

namespace hv {

/// The VM files in a folder: /etc/hv/vms.d. Read anew each time, since people edit them.
class vm_folder {
public:
    explicit vm_folder(std::string path) : path_{std::move(path)} {}

    struct entry {
        std::string name;    // of the file, without .json
        std::string path;
        vm_definition vm;
        std::string error;    // not empty: the file is not sound, and `vm` means nothing
    };
    std::vector<entry> read() const;
    bool has(std::string const& name) const;
    /// Errors: vm_error: there is none, or it is not sound.
    vm_definition find(std::string const& name) const;
    std::string path_of(std::string const& name) const { return path_ + "/" + name + ".json"; }
    void write(vm_definition const& vm) const;
    void remove(std::string const& name) const;

private:
    entry read_one(std::string const& name) const;

    std::string path_;
};

}
