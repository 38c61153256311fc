import WireFormats

/// Reads the fields of a question, and gathers what is wrong with them in their order.
struct CheckReader {
    private(set) var faults: [InputFault] = []
    private let body: JSONValue
    private let limits: JSONLimits

    /// A value and where it stands.
    struct Found {
        let place: [InputFault.Place]
        let value: JSONValue
    }

    init(_ body: JSONValue, _ settings: GovernanceSettings) {
        self.body = body
        limits = settings.json
    }

    mutating func note(_ kind: InputFault.Kind, _ found: Found) {
        faults.append(InputFault(kind, found.place, found.value))
    }

    /// Notes that a field is missing in the body, or in `place` inside of it.
    mutating func noteMissing(_ place: [InputFault.Place]) {
        faults.append(InputFault(.missing, place, body))
    }

    /// What the fields of these names say, which must be the same; nil where there is none.
    ///
    /// `null` is the same as none, except where one is required.
    mutating func text(_ names: [String], isRequired: Bool = false, characters: Int = .max) -> String? {
        let all = found(names, nullIsValue: isRequired)
        if all.isEmpty, isRequired { noteMissing([.name("body"), .name(names[0])]) }
        return text(all, characters: characters)
    }

    /// What all of these say, which must be the same.
    mutating func text(_ all: [Found], characters: Int = .max) -> String? {
        var agreed: (text: String, found: Found)?
        for found in all {
            guard let text = found.value.text else {
                note(.noString, found)
                continue
            }
            if text.unicodeScalars.count > characters { note(.tooLong(characters: characters), found) }
            if let agreed, !text.utf8.elementsEqual(agreed.text.utf8) {
                note(.badValue("it disagrees with \(agreed.found.name)"), found)
            }
            agreed = agreed ?? (text, found)
        }
        return agreed?.text
    }

    /// The values of the fields of these names.
    func found(_ names: [String], nullIsValue: Bool = false) -> [Found] {
        names.compactMap { name in
            guard let value = body.member(name), nullIsValue || value.kind != .null else { return nil }
            return Found(place: [.name("body"), .name(name)], value: value)
        }
    }

    /// The objects that the fields of these names are, and the `http` object inside of each.
    mutating func objects(_ names: [String]) -> [Found] {
        var objects: [Found] = []
        for found in found(names, nullIsValue: true) {
            guard found.value.kind == .object else {
                note(.noObject, found)
                continue
            }
            objects += Self.withHTTP(found)
        }
        return objects
    }

    /// The object that is written, as JSON, in the text of a field.
    mutating func parsed(_ name: String) throws(CheckFault) -> [Found] {
        guard let text = text([name]) else { return [] }
        let place: [InputFault.Place] = [.name("body"), .name(name)]
        do throws(JSONViolation) {
            let found = Found(place: place, value: try JSONDocument(Array(text.utf8), limits: limits).root)
            if found.value.kind == .object { return Self.withHTTP(found) }
            note(.noObject, found)
        } catch {
            faults.append(InputFault(error, at: place))
        }
        return []
    }

    /// Notes what is no list of texts.
    mutating func checkTexts(_ name: String) {
        guard let list = found([name], nullIsValue: true).first else { return }
        guard list.value.kind == .array else { return note(.noList, list) }
        for (index, element) in list.value.elements.enumerated() where element.kind != .string {
            note(.noString, Found(place: list.place + [.index(index)], value: element))
        }
    }

    private static func withHTTP(_ found: Found) -> [Found] {
        guard let inner = found.value.member("http"), inner.kind == .object else { return [found] }
        return [found, Found(place: found.place + [.name("http")], value: inner)]
    }
}

extension CheckReader.Found {
    /// The member of this name inside; nil where there is none, or `null`.
    func member(_ name: String) -> CheckReader.Found? {
        guard let member = value.member(name), member.kind != .null else { return nil }
        return CheckReader.Found(place: place + [.name(name)], value: member)
    }

    /// Its place in one word, which is of our names alone.
    var name: String {
        place.dropFirst().map {
            switch $0 {
            case .name(let name): name
            case .index(let index): "\(index)"
            }
        }.joined(separator: ".")
    }
}
