extension DaemonPlan {
    init(configurationFile path: String) throws(Complaint) { throw Complaint("TBD \(path)", .configuration) }
}
