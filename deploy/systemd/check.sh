#!/bin/bash
# Lets systemd read the units, as `systemctl` would: none of its words may be a complaint. Needs no running systemd.
#
#   deploy/systemd/check.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# A root of its own: the programs where the units expect them, and a service that the drop-in is for.
units=$root/etc/systemd/system
mkdir -p "$units/agent.service.d" "$root/usr/bin" "$root/bin"
cp "$here"/*.slice "$here"/*.service "$units"
cp "$here/10-penstock.conf" "$units/agent.service.d"
printf '[Service]\nUser=2000\nExecStart=/usr/bin/agent\n' >"$units/agent.service"
for program in usr/bin/penstockd usr/bin/penstock-init usr/bin/agent bin/kill; do
    install -m 755 /dev/null "$root/$program"
done

# The targets that every unit knows are systemd's own files.
system=$root/usr/lib/systemd/system
mkdir -p "$system"
for target in basic cryptsetup integritysetup local-fs local-fs-pre multi-user network network-online paths remote-fs \
    shutdown slices sockets swap sysinit timers umount veritysetup; do
    printf '[Unit]\nDescription=%s\n' "$target" >"$system/$target.target"
done

failed=0
for unit in penstock.slice penstock-agents.slice penstockd.service penstock-watch.service agent.service; do
    said=$(systemd-analyze verify --man=no --root="$root" "$unit" 2>&1) || failed=1
    [ -z "$said" ] || { printf '%s\n' "$said"; failed=1; }
done
grep -qx 'Slice=penstock.slice' "$units/penstockd.service" "$units/penstock-watch.service"
exit "$failed"
