/// The word that a misspelt one was probably meant to be; `nil` where none is near.
///
/// Near is at most a third of the letters wrong, and at least one may be: an insertion, a deletion, a replacement or two
/// neighbours swapped.
package func nearest(to word: String, among words: some Sequence<String>) -> String? {
    let allowed = max(1, word.utf8.count / 3)
    // Longer than any key: no suggestion is worth the square of its length.
    guard word.utf8.count <= 64 else { return nil }
    var best: (word: String, distance: Int)?
    for candidate in words where candidate != word {
        let distance = editDistance(Array(word.utf8), Array(candidate.utf8))
        if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.word
}

/// The optimal string alignment distance.
private func editDistance(_ one: [UInt8], _ two: [UInt8]) -> Int {
    var beforeLast = [Int](repeating: 0, count: two.count + 1)
    var last = Array(0...two.count)
    for row in 0..<one.count {
        var current = [row + 1]
        for column in 0..<two.count {
            let cost = one[row] == two[column] ? 0 : 1
            var distance = min(last[column + 1] + 1, current[column] + 1, last[column] + cost)
            if row > 0, column > 0, one[row] == two[column - 1], one[row - 1] == two[column] {
                distance = min(distance, beforeLast[column - 1] + 1)
            }
            current.append(distance)
        }
        beforeLast = last
        last = current
    }
    return last[two.count]
}
