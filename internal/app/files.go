package app

// ownFiles is how many of its files a process keeps for what is no client: servers, databases, other connections.
const ownFiles = 200

// mostClients is how many clients this process takes at once: as many as it is set to, and has files for. One that took more would not
// even be able to tell them when to come back.
func mostClients(set int, files uint64) int {
	if files == 0 || files >= uint64(set)+ownFiles {
		return set
	}
	return int(max(files, ownFiles+1) - ownFiles)
}
