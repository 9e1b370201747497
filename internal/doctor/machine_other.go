//go:build !linux

package doctor

// ThisMachine knows nothing of other systems than Linux.
func ThisMachine() Machine { return Machine{} }

func onNetwork(string) string { return "" }

func freeSpace(string) int64 { return -1 }
