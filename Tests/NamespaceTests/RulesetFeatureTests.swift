import Foundation
import Testing

/// Kernels that lack a part of nf_tables are rare enough that none is at hand.
///
/// So the real kernel is asked for an expression that it does not know: on their way to it the messages get another name in the
/// place of the one that is to be missing. What it answers is what it says of a module that it does not have.
@Suite("A kernel that lacks what the rules need")
struct RulesetFeatureTests {
    private static let renaming = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/types.h>
        /* The attribute of an expression's name: its length, its type 1, and the name with a zero byte. */
        ssize_t mnl_socket_sendto(const void *socket, const void *bytes, size_t count) {
            ssize_t (*next)(const void *, const void *, size_t) = dlsym(RTLD_NEXT, "mnl_socket_sendto");
            const char *name = getenv("MISSING");
            size_t length = 4 + strlen(name) + 1;
            char attribute[64] = {(char)length, 0, 1, 0}, *copy = malloc(count), *found = copy;
            strcpy(attribute + 4, name);
            memcpy(copy, bytes, count);
            while ((found = memmem(found, (size_t)(copy + count - found), attribute, length))) found[4] = 'X';
            ssize_t sent = next(socket, copy, count);
            free(copy);
            return sent;
        }
        """

    /// Has the kernel of this process refuse sockets of nf_tables as one does that is built without them.
    private static let withoutTables = """
        import ctypes, os, platform, struct, sys
        call = {"x86_64": 41, "aarch64": 198}[platform.machine()]
        code = [(0x20, 0, 0, 0), (0x15, 0, 5, call), (0x20, 0, 0, 16), (0x15, 0, 3, 16), (0x20, 0, 0, 32), (0x15, 0, 1, 12),
                (0x06, 0, 0, 0x00050000 | 93), (0x06, 0, 0, 0x7fff0000)]
        filter = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
        program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code), ctypes.addressof(filter)))
        libc = ctypes.CDLL(None, use_errno=True)
        word = ctypes.c_ulong
        assert libc.prctl(38, word(1), word(0), word(0), word(0)) == 0
        assert libc.prctl(22, word(2), program, word(0), word(0)) == 0, ctypes.get_errno()
        os.execv(sys.argv[1], sys.argv[1:])
        """

    @Test(
        "install ends with 69, names the feature, and changes nothing",
        arguments: [
            ("fib", "module nft_fib_inet"), ("ct", "module nft_ct"), ("redir", "module nft_redir"),
            ("reject", "module nft_reject_inet"), ("counter", "module nft_counter"), ("tproxy", "module nft_tproxy"),
            ("socket", "module nft_socket"), ("nat", "module nft_chain_nat"),
        ]
    )
    func expression(name: String, feature: String) throws {
        let library = FileManager.default.temporaryDirectory.path + "/penstock-renaming-\(UUID().uuidString).so"
        defer { try? FileManager.default.removeItem(atPath: library) }
        try NetworkNamespace.must(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library], input: Self.renaming)
        let modes =
            ["tproxy", "socket", "nat"].contains(name)
            ? [Handover.tproxy] : name == "redir" ? [.redirect] : Handover.chosen
        try RulesetBed.with(modes: modes, install: false) { bed in
            let result = try bed.net.pod.run(
                [Built.path("penstock-init"), "install", "--dns-server", "203.0.113.53"] + bed.mode.flags,
                environment: ["LD_PRELOAD": library, "MISSING": name]
            )
            #expect(result.status == 69, "\(result)")
            #expect(result.errors.contains("the kernel lacks ") && result.errors.contains(feature), "\(result)")
            #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
            #expect(try bed.net.pod.must(["nft", "list", "ruleset"]) == "")
            #expect(try !bed.net.pod.shell("ip -4 rule; ip -6 rule; ip -4 route show table all").contains("7065"))
        }
    }

    @Test("without nf_tables it ends with 69 and says so", arguments: ["install", "verify", "remove"])
    func noTables(command: String) throws {
        try RulesetBed.with(install: false) { bed in
            let resolver = command == "remove" ? [] : ["--dns-server", "203.0.113.53"]
            let result = try bed.net.pod.run(
                ["python3", "-c", Self.withoutTables, Built.path("penstock-init"), command] + resolver
            )
            #expect(result.status == 69, "\(result)")
            #expect(result.errors.contains("the kernel lacks nf_tables with the inet family"), "\(result)")
        }
    }
}
