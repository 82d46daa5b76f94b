# Sourced by tests/run and samples/run: makes sure that Debian packages are there.

# need_packages PACKAGE...: installs what is missing when that is allowed (root, or sudo without a password), and says
# what it does. Returns 1, having said exactly what to install, when something is missing and it is not allowed.
need_packages()
{
    if ! command -v dpkg-query >/dev/null 2>&1; then
        echo "Not a Debian system: going on without a look at packages (wanted: $*)." >&2
        return 0
    fi
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0

    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
            as_root=(sudo -n)
        else
            echo "These Debian packages are missing. Install them and run this again:" >&2
            echo "    sudo apt-get install --no-install-recommends ${missing[*]}" >&2
            return 1
        fi
    fi
    echo "Installing Debian packages: ${missing[*]}"
    local log
    log=$(mktemp)
    if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y \
        --no-install-recommends "${missing[@]}"; } </dev/null >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        echo "The packages could not be installed: ${missing[*]}" >&2
        return 1
    fi
    rm -f "$log"
}

# What it takes to build the library, the tests and the samples.
build_packages=(gcc libc6-dev meson ninja-build pkg-config python3 libev-dev libc-ares-dev libssl-dev libhttp-parser-dev)
