#!/bin/bash
# Installs what is missing of deploy/packages.txt, and nothing else. With nothing missing it needs no network and no root.
#
#   deploy/install-packages.sh [SECTION…]      default: every section
set -euo pipefail

list=$(dirname "$0")/packages.txt

# Every package that is installed, and every name that one of them provides (Ubuntu's libcurl4t64 provides libcurl4).
installed_names() {
    dpkg-query -W -f='${db:Status-Abbrev}|${Package}, ${Provides}\n' |
        sed -n 's/^ii *|//p' | tr ',' '\n' | sed 's/(.*//; s/[[:space:]]//g' | sort -u
}

wanted_names() {
    local section
    for section in "$@"; do
        awk -v section="$section" '$1 == section { print $2; found = 1 } END { exit !found }' "$list" || {
            echo "install-packages: no section '$section' in $list" >&2
            return 1
        }
    done | sort -u
}

# A Node.js that came from elsewhere is as good as Debian's.
has_node() {
    local version
    version=$(node --version 2>/dev/null) || return 1
    version=${version#v}
    [ "${version%%.*}" -ge 18 ] 2>/dev/null
}

# A package may start its daemon when it is installed; we want the program, not a web server on the machine's port 80.
policy=/usr/sbin/policy-rc.d
forbid_daemons() {
    [ ! -e "$policy" ] || return 0
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

command -v dpkg-query >/dev/null || {
    echo "install-packages: this is no Debian or Ubuntu; install by other means what $list names" >&2
    exit 1
}

[ $# -gt 0 ] || set -- build runtime lab
wanted=$(wanted_names "$@")
missing=$(comm -23 <(echo "$wanted") <(installed_names))
if has_node; then missing=$(grep -vx nodejs <<<"$missing" || true); fi
[ -n "$missing" ] || exit 0

echo "installing: ${missing//$'\n'/ }"
[ "$(id -u)" = 0 ] || {
    echo "install-packages: only root can install packages: sudo make packages" >&2
    exit 1
}
forbid_daemons
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq -o Acquire::Retries=5 >/dev/null
# shellcheck disable=SC2086  # a list of words is what apt-get takes
apt-get install -y -qq -o Acquire::Retries=5 --no-install-recommends $missing </dev/null >/dev/null
