package stack

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

var ports struct {
	mu    sync.Mutex
	given map[int]bool
}

// Port returns a loopback port that nobody listens on. It lies below the range from which the system takes
// the ports of outgoing connections, so that it is still free when a process is started on it again.
func Port(t T) int {
	t.Helper()
	ports.mu.Lock()
	defer ports.mu.Unlock()
	if ports.given == nil {
		ports.given = map[int]bool{}
	}
	for range 1000 {
		port := 10_240 + rand.IntN(22_000)
		if ports.given[port] {
			continue
		}
		listener, err := net.Listen("tcp", Address(port))
		if err != nil {
			continue
		}
		listener.Close()
		ports.given[port] = true
		return port
	}
	t.Fatal("no free port was found")
	return 0
}

// Address is the loopback address with a port.
func Address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
