package main

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestSystemdIsTold(t *testing.T) {
	dir, err := os.MkdirTemp("", "notify") // short, as addresses of sockets must be
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for _, address := range []string{filepath.Join(dir, "socket"), "@parkwire-test-" + filepath.Base(dir)} {
		socket, err := net.ListenPacket("unixgram", address)
		if err != nil {
			t.Fatal(err)
		}
		if err := tellSupervisor(t.Context(), []string{"A=B", "NOTIFY_SOCKET=" + address}, "READY=1"); err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 100)
		if err := socket.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, _, err := socket.ReadFrom(buffer)
		if err != nil || string(buffer[:n]) != "READY=1" {
			t.Errorf("%s hears %q, %v", address, buffer[:n], err)
		}
		socket.Close()
	}
	if err := tellSupervisor(t.Context(), nil, "READY=1"); err != nil {
		t.Errorf("without systemd: %v", err)
	}
	if err := tellSupervisor(t.Context(), []string{"NOTIFY_SOCKET=" + filepath.Join(dir, "none")}, "READY=1"); err == nil {
		t.Error("nobody hears it, and nobody says so")
	}
}
