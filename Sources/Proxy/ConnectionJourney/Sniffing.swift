import ByteRelay
import EventLoops
import LinuxBindings
import PolicyEngine
import WireFormats

extension Connection {
    /// Reads until the client's first bytes say what they are, or it is silent for too long, or the limits are met.
    ///
    /// With `isWaitingForName`, silence has been judged already: it waits on to the end of the sniffing time.
    func sniff(_ worker: Worker, isWaitingForName: Bool = false, on loop: isolated EventLoop) async {
        let limit = heardSince + worker.settings.sniffNanoseconds
        let patience = isWaitingForName ? limit : min(limit, heardSince + worker.settings.silenceNanoseconds)
        var examination = OpeningExamination()
        while true {
            if examine(&examination, worker) { return }
            // A cut that came while nobody waited has interrupted nothing.
            if let cutting { return sniffed = .unfinished(cutting.reason ?? .draining) }
            switch await client.wait(for: .reading, until: openingBytes.isEmpty ? patience : limit, on: loop) {
            case .ready: continue
            case .interrupted: return sniffed = .unfinished(cutting?.reason ?? .draining)
            case .timedOut: return sniffed = openingBytes.isEmpty ? .silent : .unfinished(.sniffLimit)
            }
        }
    }

    /// Takes what there is to read; true where `sniffed` says what it comes to.
    func examine(_ examination: inout OpeningExamination, _ worker: Worker) -> Bool {
        // What came with a request to a proxy is there before anything is received, and an end behind it comes later.
        if read(&examination, worker) { return true }
        repeat {
            switch receiveOpening(worker) {
            case .failed:
                sniffed = .gone
                return true
            case .ended:
                sniffed = openingEnded(worker)
                return true
            case .received: if read(&examination, worker) { return true }
            case .nothing: break
            }
        } while client.isReadable
        return false
    }

    /// Looks at what is there and was not looked at; true where `sniffed` says what it comes to.
    private func read(_ examination: inout OpeningExamination, _ worker: Worker) -> Bool {
        guard openingBytes.count >= examination.wanted, openingBytes.count > examination.examined,
            let verdict = Sniffed(examination.read(openingBytes, worker.settings.sniffing))
        else { return false }
        sniffed = verdict.readStrictly(openingBytes, worker)
        return true
    }

    /// What one attempt to read came to.
    enum Receipt {
        case received
        case nothing
        case ended
        case failed
    }

    /// Reads once, if there is anything to read.
    func receiveOpening(_ worker: Worker) -> Receipt {
        guard client.isReadable else { return .nothing }
        guard let completion = try? worker.means.buffer.receive(from: client.descriptor) else { return .failed }
        switch completion {
        case .wouldBlock:
            client.isReadable = false
            return .nothing
        case .done(0):
            return client.hasFailed ? .failed : .ended
        case .done(let count):
            hear(count, of: worker.means.buffer)
            if count < worker.means.buffer.capacity, !client.readsShort { client.isReadable = false }
            return .received
        }
    }

    /// Adds what was received to what the client has sent so far.
    func hear(_ count: Int, of buffer: TransferBuffer) {
        // Taken out meanwhile, so that the compiler sees that nobody else touches them: else that is checked as it runs.
        var bytes = openingBytes
        openingBytes = []
        buffer.append(0..<count, to: &bytes)
        openingBytes = bytes
    }

    /// Waits for more of the opening until `limit`, in nanoseconds of the loop's clock.
    ///
    /// False where there is none, and `sniffed` says why.
    func receiveMore(_ worker: Worker, until limit: UInt64, on loop: isolated EventLoop) async -> Bool {
        while true {
            switch receiveOpening(worker) {
            case .received: return true
            case .failed: sniffed = .gone
            case .ended: sniffed = openingBytes.isEmpty ? .gone : openingEnded(worker)
            case .nothing:
                switch await client.wait(for: .reading, until: limit, on: loop) {
                case .ready: continue
                case .interrupted: sniffed = .unfinished(cutting?.reason ?? .draining)
                case .timedOut: sniffed = .unfinished(.sniffLimit)
                }
            }
            return false
        }
    }

    /// A client that sends no more: what it began is broken, what it never began it will not begin.
    private func openingEnded(_ worker: Worker) -> Sniffed {
        guard !openingBytes.isEmpty else { return .opaque }
        switch openingBytes[0] {
        case 0x16: return .refused(.malformedOpening, protocol: .tls, detail: "truncated")
        default: return .refused(.malformedOpening, protocol: nil, detail: "truncated")
        }
    }
}

/// How far the client's first bytes have been looked at.
struct OpeningExamination {
    /// How many there must be before they are looked at again.
    private(set) var wanted = 1
    private(set) var examined = 0

    mutating func read(_ opening: [UInt8], _ limits: SniffLimits) -> OpeningReading {
        let reading = readOpening(opening.span, examined: examined, limits: limits)
        examined = opening.count
        if case .needMore(let total) = reading { wanted = max(total, examined + 1) }
        return reading
    }
}

extension Sniffed {
    /// `nil` where more bytes are needed.
    init?(_ reading: OpeningReading) {
        switch reading {
        case .needMore: return nil
        case .tls(let hello): self = Sniffed(hello)
        case .http(let opening): self = Sniffed(opening)
        case .http2Preface: self = .h2c
        case .opaque: self = .opaque
        case .proxyRequest(let kind):
            switch kind {
            case .connect, .absoluteForm: self = .refused(.proxyInCapture, protocol: .http, detail: kind.rawValue)
            case .socks4, .socks5: self = .refused(.proxyInCapture, protocol: nil, detail: kind.rawValue)
            }
        case .malformed(let kind):
            self = .refused(.malformedOpening, protocol: kind.isOfHTTP ? .http : nil, detail: kind.rawValue)
        }
    }

    /// The same, unless it is a request that the sniffer let pass and no server should see.
    func readStrictly(_ opening: [UInt8], _ worker: Worker) -> Sniffed {
        guard case .http = self else { return self }
        var reader = HTTP1RequestReader(limits: worker.settings.http)
        do throws(HTTP1Violation) {
            _ = try reader.read(opening.span)
            return self
        } catch {
            return .refused(.malformedOpening, protocol: .http, detail: error.rawValue)
        }
    }

    private init(_ hello: ClientHello) {
        switch hello.serverName {
        case .absent, .name: self = .tls(hello)
        case .malformed(let kind, let octets):
            self = .refused(.malformedName, protocol: .tls, detail: "\(kind.detail) (\(octets) octets)")
        case .several(let count):
            self = .refused(.malformedName, protocol: .tls, detail: "several_names (\(count))")
        case .emptyList: self = .refused(.malformedName, protocol: .tls, detail: "empty_list")
        case .otherType(let type): self = .refused(.malformedName, protocol: .tls, detail: "name_type (\(type))")
        }
    }

    private init(_ opening: HTTPOpening) {
        switch opening.host {
        case .absent, .name, .address: self = .http(opening)
        case .malformed(let kind): self = .refused(.malformedName, protocol: .http, detail: kind.detail)
        }
    }

    /// What the policy is told of it; `nil` where it is not asked.
    var opening: Opening? {
        switch self {
        case .silent, .connect: .silent
        case .tls(let hello):
            if case .name(let name) = hello.serverName { .known(.tls, name: name) } else { .known(.tls, name: nil) }
        case .http(let opening):
            if case .name(let name, _) = opening.host { .known(.http, name: name) } else { .known(.http, name: nil) }
        case .h2c: .known(.h2c, name: nil)
        case .opaque: .known(.opaque, name: nil)
        case .unfinished: .known(.opaque, name: nil)
        case .refused, .gone: nil
        }
    }
}
