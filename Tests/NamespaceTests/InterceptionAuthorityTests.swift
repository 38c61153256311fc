import Foundation
import Testing

@Suite("The authority of a daemon that runs")
struct InterceptionAuthorityTests {
    @Test(
        "a rotated authority is read again on SIGHUP: open connections go on, and new ones get a leaf of the new root"
    )
    func rotation() throws {
        try InterceptedPod.with { bed in
            let old = try String(contentsOfFile: bed.files.published + "/ca.pem", encoding: .utf8)
            try Data(old.utf8).write(to: URL(filePath: bed.files.path("old.pem")))
            let agent = try bed.startPython(
                """
                kept, first = inside(), inside(); print(why(kept.ask(*at("/a"))), why(first.ask(*at("/a"))))
                session = first.s.session; print("ready"); wait_for("\(bed.place())")
                print(why(kept.ask(*at("/b"))))
                try: inside(context=trusting()).ask(*at("/x")); print("bundle read again")
                except ssl.SSLCertVerificationError: print("not trusted")
                again = inside(context=trusting("\(bed.files.published)/ca.pem")); print(why(again.ask(*at("/c"))))
                only = inside(context=trusting("\(bed.files.path("new.pem"))")); print(why(only.ask(*at("/d"))))
                only.context.load_verify_locations("\(bed.files.path("old.pem"))")
                try: resumed = inside(context=first.context, session=session); print(resumed.s.session_reused)
                except ssl.SSLCertVerificationError: print("in full")
                old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); old.load_verify_locations("\(bed.files.path("old.pem"))")
                try: inside(context=old); print("old root")
                except ssl.SSLCertVerificationError: print("new root")
                """
            )
            try bed.files.asDaemon(["rotate", bed.files.authority])
            bed.pod.daemon.signal(SIGHUP)
            let isPublished = BackgroundProcess.poll(seconds: 60) {
                ((try? String(contentsOfFile: bed.files.published + "/ca.pem", encoding: .utf8)) ?? "")
                    .components(separatedBy: "BEGIN").count == 3
            }
            #expect(isPublished, "\(bed.pod.daemon.errors)")
            let both = try String(contentsOfFile: bed.files.published + "/ca.pem", encoding: .utf8)
            let new = both.components(separatedBy: "-----BEGIN").first { !$0.isEmpty && !old.contains($0) } ?? ""
            try Data(("-----BEGIN" + new).utf8).write(to: URL(filePath: bed.files.path("new.pem")))
            let isSaid = BackgroundProcess.poll(seconds: 60) { bed.pod.daemon.errors.contains("signs from now on") }
            #expect(isSaid, "\(bed.pod.daemon.errors)")
            try bed.go()
            let result = agent.wait()
            #expect(
                result.output == "200 200\nready\n200\nbundle read again\n200\n200\nin full\nnew root\n",
                "\(result)"
            )
        }
    }

    @Test("an authority that cannot be read any more is refused, and the old one signs on")
    func broken() throws {
        try InterceptedPod.with { bed in
            try NetworkNamespace.must(["chmod", "644", bed.files.authority + "/ca.key"])
            bed.pod.daemon.signal(SIGHUP)
            let isSaid = BackgroundProcess.poll(seconds: 60) { bed.pod.daemon.errors.contains("the old one signs on") }
            #expect(isSaid, "\(bed.pod.daemon.errors)")
            #expect(try bed.curl("https://www.allowed.example:8443/a") == "GET /a<200>")
        }
    }

    @Test("an authority of another user is named as such, also where it cannot be opened")
    func owners() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "nsec-ca-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try NetworkNamespace.must([Built.path("penstock"), "ca", "create", "--out", folder])
        let show = RunAs.daemon.prefix + [Built.path("penstock"), "ca", "show", folder]
        let closed = try BackgroundProcess(show).wait()
        #expect(closed.errors.contains("\(folder) belongs to UID 0, not to 10880"), "\(closed)")
        try NetworkNamespace.must(["chmod", "755", folder])
        let open = try BackgroundProcess(show).wait()
        #expect(open.output.contains("\(folder)/ca.key belongs to UID 0, not to 10880"), "\(open)")
    }

    @Test("readiness says so when the authority ends while the daemon runs")
    func expiry() throws {
        let files = try InterceptionFiles(isEphemeral: true)
        // Time enough for the daemon's start on a machine that is busy.
        let script = """
            umask 077; cd "$1"; mkdir ca; touch index; echo 01 > serial
            printf '[ca]\ndefault_ca=it\n[it]\ndatabase=index\nserial=serial\nnew_certs_dir=.\npolicy=any\ndefault_md=sha256\n' > ca.cnf
            printf 'x509_extensions=x\n[any]\ncommonName=supplied\n[x]\nbasicConstraints=critical,CA:TRUE\n' >> ca.cnf
            printf 'keyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n' >> ca.cnf
            openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca/ca.key -out r.csr -subj /CN=short
            openssl ca -batch -notext -selfsign -config ca.cnf -keyfile ca/ca.key -in r.csr -out ca/ca.pem \
              -startdate $(date -u -d '-1 min' +%Y%m%d%H%M%SZ) -enddate $(date -u -d '+25 sec' +%Y%m%d%H%M%SZ)
            """
        try NetworkNamespace.must(RunAs.daemon.prefix + ["sh", "-ec", script, "sh", files.published])
        let settings = "interception: { authority: \(files.published)/ca }\n"
        try GuardedPod.with(InterceptedPod.rules, settings: settings) { pod in
            // It has been ready: nobody is handed a pod that has not.
            let ask = ["curl", "-s", "-m", "5", "http://127.0.0.1:15890/readyz"]
            let isOver = BackgroundProcess.poll(seconds: 60) {
                (try? pod.pod.must(ask).contains("interception: the authority expired at")) == true
            }
            #expect(isOver)
        }
    }

    @Test("an authority in memory is published, another one with each start, and no key is in any file")
    func ephemeral() throws {
        try InterceptedPod.with(isEphemeral: true) { bed in
            #expect(try bed.curl("https://allowed.example:8443/a") == "GET /a<200>")
            let first = try String(contentsOfFile: bed.files.published + "/ca.pem", encoding: .utf8)
            bed.pod.daemon.signal(SIGHUP)
            #expect(try bed.curl("https://www.allowed.example:8443/b") == "GET /b<200>")
            #expect(try String(contentsOfFile: bed.files.published + "/ca.pem", encoding: .utf8) == first)
            #expect(bed.pod.stop() == 0)
            try bed.pod.start()
            #expect(try String(contentsOfFile: bed.files.published + "/ca.pem", encoding: .utf8) != first)
            #expect(try bed.curl("https://allowed.example:8443/c") == "GET /c<200>")
        }
    }
}
