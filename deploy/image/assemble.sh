#!/bin/sh
# Puts together the image's root: the programs, the shared objects that they ask for, the authorities of the public web,
# and two users. Everything else that a distribution has is left out: no shell, no package manager, no library more.
#
#   deploy/image/assemble.sh PROGRAMS ROOT
set -eu

programs=$1
root=$2
user=10880

mkdir -p "$root/usr/local/bin" "$root/etc/ssl/certs" "$root/etc/penstock/config" "$root/etc/penstock/policy"
for name in penstock-init penstockd penstock; do
    install -m 755 "$programs/$name" "$root/usr/local/bin/$name"
    strip "$root/usr/local/bin/$name"
    # The dynamic loader itself is among what ldd names, by its own path, whatever the architecture.
    found=$(ldd "$programs/$name")
    if echo "$found" | grep 'not found' >&2; then exit 1; fi
    for object in $(echo "$found" | grep -o '/[^ )]*'); do
        [ -e "$root$object" ] || install -D -m 755 "$(readlink -f "$object")" "$root$object"
    done
done

install -m 644 "$(readlink -f /etc/ssl/certs/ca-certificates.crt)" "$root/etc/ssl/certs/ca-certificates.crt"
printf 'root:x:0:0::/:/nonexistent\npenstock:x:%s:%s::/:/nonexistent\n' $user $user >"$root/etc/passwd"
printf 'root:x:0:\npenstock:x:%s:\n' $user >"$root/etc/group"
chmod 644 "$root/etc/passwd" "$root/etc/group"

# An empty volume takes its owner and mode from here under Docker and Podman. Kubernetes mounts its own.
mkdir -p "$root/var/log/penstock" "$root/run" "$root/etc/penstock-trust"
chown -R 0:0 "$root"
chown $user:$user "$root/var/log/penstock" "$root/run" "$root/etc/penstock-trust"
chmod 700 "$root/var/log/penstock" "$root/run"
# Agents read what is published here.
chmod 755 "$root/etc/penstock-trust"
