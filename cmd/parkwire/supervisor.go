package main

import (
	"context"
	"fmt"
	"net"
	"strings"
)

// tellSupervisor tells systemd what state the process is in, where that started it and wants to know (Type=notify): "READY=1", "STOPPING=1". So
// `systemctl restart` returns when the process is ready, and a rolling restart is a loop.
func tellSupervisor(ctx context.Context, environ []string, state string) error {
	address := ""
	for _, pair := range environ {
		if value, ok := strings.CutPrefix(pair, "NOTIFY_SOCKET="); ok {
			address = value
		}
	}
	if address == "" {
		return nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unixgram", address) // one that begins with @ has no file, which Go knows too
	if err != nil {
		return fmt.Errorf("telling systemd %s: %w", state, err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("telling systemd %s: %w", state, err)
	}
	return nil
}
