package uring

import (
	"fmt"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// BenchmarkSend sends a frame to each of 256 connections over loopback in turn; an op is one send. Who
// receives is drained between, and that time is not counted.
func BenchmarkSend(b *testing.B) {
	b.Run("plain", func(b *testing.B) {
		benchmark(b, func(pipes []*pipe, frame []byte) {
			for _, p := range pipes {
				n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(p.fd), uintptr(unsafe.Pointer(&frame[0])), uintptr(len(frame)), sendFlags, 0, 0)
				if int(n) != len(frame) {
					b.Fatal(n, errno)
				}
			}
		})
	})
	for _, entries := range []int{1, 32, 64, 128, 256} {
		b.Run(fmt.Sprintf("ring-%d", entries), func(b *testing.B) {
			r := newRing(b, entries)
			done := func(_ uint64, n int, err error) {
				if err != nil {
					b.Fatal(n, err)
				}
			}
			benchmark(b, func(pipes []*pipe, frame []byte) {
				for i, p := range pipes {
					for !r.Send(p.fd, frame, uint64(i)) {
						if err := r.Submit(done); err != nil {
							b.Fatal(err)
						}
					}
				}
				if err := r.Submit(done); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

func benchmark(b *testing.B, send func(pipes []*pipe, frame []byte)) {
	l := listen(b)
	pipes, peers := make([]*pipe, 256), make([]int, 256)
	for i := range pipes {
		pipes[i] = newTCP(b, l)
		peers[i] = int(pipes[i].peer.Fd())
	}
	frame, in := make([]byte, 180), make([]byte, 64<<10)
	b.ReportAllocs()
	b.ResetTimer()
	for sent, rounds := 0, 0; sent < b.N; sent += len(pipes) {
		send(pipes[:min(len(pipes), b.N-sent)], frame)
		if rounds++; rounds%32 == 0 { // what the receivers have room for
			b.StopTimer()
			for _, fd := range peers {
				for {
					if n, _, _ := unix.Recvfrom(fd, in, unix.MSG_DONTWAIT); n < len(in) {
						break
					}
				}
			}
			b.StartTimer()
		}
	}
}
