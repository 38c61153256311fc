/// Why there is no leaf for a name; the raw values are the words for it in records.
package enum LeafMintError: String, Error, Hashable, Sendable {
    /// The authority's name constraints leave the name out.
    case notPermitted = "name_not_permitted"
    /// The authority's time is over.
    case authorityExpired = "authority_expired"
    /// More names wait for a leaf than the limit: somebody asks for ever new ones.
    case busy = "mint_busy"
    /// The mint is closed.
    case stopped = "mint_stopped"
    /// OpenSSL failed.
    case failed = "mint_failed"
}
