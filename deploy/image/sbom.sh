#!/bin/sh
# Writes what is in the image as SPDX 2.3 JSON: every file with its digests, the Debian packages that they came from, and
# what is linked into the programs.
#
#   deploy/image/sbom.sh ROOT VERSION [SECONDS]      SECONDS since 1970 for `created`; default: now
set -eu

root=$1
version=$2
created=$(date -u -d "@${3:-$(date +%s)}" +%Y-%m-%dT%H:%M:%SZ)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Which Debian package a file of this system belongs to. With /usr merged the package may know it by its other path.
owner() {
    for path in "$1" "/usr$1" "$(readlink -f "$1")"; do
        dpkg-query -S "$path" 2>/dev/null | sed -n '1s/: .*//p' | sed 's/:.*//; s/,.*//' | grep . && return
    done
    # Made by a package when it was installed, so no package lists it.
    [ "$1" = /etc/ssl/certs/ca-certificates.crt ] && echo ca-certificates
}

# One line a file: path, SHA-1, SHA-256, the package it came from.
(cd "$root" && find . -type f | LC_ALL=C sort) | sed 's/^\.//' | while read -r path; do
    case $path in
    /usr/local/bin/* | /etc/passwd | /etc/group) from=penstock ;;
    *) from=$(owner "$path") || {
        echo "sbom: no package is known for $path" >&2
        exit 1
    } ;;
    esac
    one=$(sha1sum <"$root$path")
    two=$(sha256sum <"$root$path")
    printf '%s\t%s\t%s\t%s\n' "$path" "${one%% *}" "${two%% *}" "$from"
done >"$work/files"

cut -f 4 "$work/files" | sort -u | while read -r package; do
    if [ "$package" != penstock ]; then
        dpkg-query -W -f='${Package}\t${Version}\t${Architecture}\t${source:Package}\t${Homepage}\n' "$package"
    fi
done | sort -u >"$work/packages"

# shellcheck source=/dev/null
distribution=$(. /etc/os-release && echo "${ID:-linux}")
swift=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1)
# SPDX 2.3, 7.9: the digest of the files' digests in order.
verification=$(cut -f 2 "$work/files" | LC_ALL=C sort | tr -d '\n' | sha1sum)

awk -F '\t' -v version="$version" -v created="$created" -v distribution="$distribution" -v swift="$swift" \
    -v verification="${verification%% *}" -v packages="$work/packages" '
    function text(value) { gsub(/\\/, "\\\\", value); gsub(/"/, "\\\"", value); return "\"" value "\"" }
    # An SPDX id has letters, digits, "." and "-" only.
    function id(kind, name) { gsub(/[^A-Za-z0-9.-]/, "-", name); return "SPDXRef-" kind "-" name }
    function package(name, its_id, number, supplier, homepage, purl, more) {
        printf "    {\"SPDXID\": %s, \"name\": %s, \"versionInfo\": %s, \"supplier\": %s,\n", text(its_id), text(name), text(number), text(supplier)
        printf "     \"downloadLocation\": \"NOASSERTION\", \"homepage\": %s,\n", text(homepage == "" ? "NOASSERTION" : homepage)
        printf "     \"licenseConcluded\": \"NOASSERTION\", \"copyrightText\": \"NOASSERTION\",\n"
        printf "     \"externalRefs\": [{\"referenceCategory\": \"PACKAGE-MANAGER\", \"referenceType\": \"purl\", \"referenceLocator\": %s}],\n", text(purl)
        printf "     %s}", more
    }
    function relation(from, kind, to) {
        printf "%s    {\"spdxElementId\": %s, \"relationshipType\": %s, \"relatedSpdxElement\": %s}", relations++ ? ",\n" : "", text(from), text(kind), text(to)
    }
    { path[NR] = $1; one[NR] = $2; two[NR] = $3; from[NR] = $4 }
    END {
        ours = "SPDXRef-Package-penstock"; standard = "SPDXRef-Package-swift"
        print "{"
        print "  \"spdxVersion\": \"SPDX-2.3\", \"dataLicense\": \"CC0-1.0\", \"SPDXID\": \"SPDXRef-DOCUMENT\","
        printf "  \"name\": %s,\n", text("penstock-" version)
        # The digest makes the name one of its own for each content, as SPDX asks for.
        printf "  \"documentNamespace\": %s,\n", text("https://spdx.org/spdxdocs/penstock-" version "-" verification)
        printf "  \"creationInfo\": {\"created\": %s, \"creators\": [\"Tool: deploy/image/sbom.sh\", \"Organization: Penstock\"]},\n", text(created)
        print "  \"packages\": ["
        package("penstock", ours, version, "Organization: Penstock", "", "pkg:oci/penstock@" version, "\"licenseDeclared\": \"Apache-2.0\", \"primaryPackagePurpose\": \"CONTAINER\", \"filesAnalyzed\": true, \"licenseInfoFromFiles\": [\"NOASSERTION\"],\n     \"packageVerificationCode\": {\"packageVerificationCodeValue\": " text(verification) ", \"packageVerificationCodeExcludedFiles\": [\"./usr/share/doc/penstock/penstock.spdx.json\"]}")
        print ","
        package("swift", standard, swift, "Organization: Swift project", "https://www.swift.org", "pkg:github/swiftlang/swift@swift-" swift "-RELEASE", "\"comment\": \"The standard library and the concurrency runtime, linked into the programs\", \"licenseDeclared\": \"Apache-2.0 WITH Swift-exception\", \"filesAnalyzed\": false")
        count = 0
        while ((getline line < packages) > 0) {
            split(line, field, "\t")
            name[++count] = field[1]
            print ","
            package(field[1], id("Package", field[1]), field[2], "Organization: " toupper(substr(distribution, 1, 1)) substr(distribution, 2), field[5], "pkg:deb/" distribution "/" field[1] "@" field[2] "?arch=" field[3], "\"comment\": " text("Debian source package " field[4]) ", \"licenseDeclared\": \"NOASSERTION\", \"filesAnalyzed\": false")
        }
        print "\n  ],\n  \"files\": ["
        for (i = 1; i <= NR; i++) {
            printf "    {\"SPDXID\": %s, \"fileName\": %s, \"comment\": %s,\n", text(id("File", i path[i])), text("." path[i]), text("from " from[i])
            printf "     \"checksums\": [{\"algorithm\": \"SHA1\", \"checksumValue\": %s}, {\"algorithm\": \"SHA256\", \"checksumValue\": %s}],\n", text(one[i]), text(two[i])
            printf "     \"licenseConcluded\": \"NOASSERTION\", \"licenseInfoInFiles\": [\"NOASSERTION\"], \"copyrightText\": \"NOASSERTION\"}%s\n", i < NR ? "," : ""
        }
        print "  ],\n  \"relationships\": ["
        relation("SPDXRef-DOCUMENT", "DESCRIBES", ours)
        relation(ours, "STATIC_LINK", standard)
        for (i = 1; i <= count; i++) relation(ours, "DEPENDS_ON", id("Package", name[i]))
        for (i = 1; i <= NR; i++) relation(ours, "CONTAINS", id("File", i path[i]))
        print "\n  ]\n}"
    }' "$work/files"
