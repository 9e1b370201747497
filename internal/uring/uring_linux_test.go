package uring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func TestEverySendOfABatchLargerThanTheRingArrivesAndIsHandedOverOnce(t *testing.T) {
	r := newRing(t, 8)
	l := listen(t)
	got := map[uint64]outcome{}
	done := record(t, got)
	pipes := make([]*pipe, 100)
	for i := range pipes {
		pipes[i] = newTCP(t, l)
		for !r.Send(pipes[i].fd, fmt.Appendf(nil, "frame %3d", i), uint64(i)) {
			if err := r.Submit(done); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := r.Submit(done); err != nil {
		t.Fatal(err)
	}
	for i, p := range pipes {
		if o := got[uint64(i)]; o.n != 9 || o.err != nil {
			t.Fatalf("send %d: %d bytes, %v", i, o.n, o.err)
		}
		b := make([]byte, 9)
		if _, err := io.ReadFull(p.peer, b); err != nil || string(b) != fmt.Sprintf("frame %3d", i) {
			t.Fatalf("send %d arrived as %q, %v", i, b, err)
		}
	}
	if len(got) != len(pipes) {
		t.Fatalf("%d outcomes of %d sends", len(got), len(pipes))
	}
}

func TestARingSaysWhenItIsFull(t *testing.T) {
	r := newRing(t, 4)
	p := newPipe(t)
	for i := range r.Entries() {
		if !r.Send(p.fd, []byte{'x'}, uint64(i)) {
			t.Fatalf("full after %d of %d", i, r.Entries())
		}
	}
	if r.Send(p.fd, []byte{'x'}, 99) {
		t.Fatal("takes more than it has room for")
	}
	if got := submit(t, r); len(got) != r.Entries() {
		t.Fatalf("%d outcomes", len(got))
	}
	if got := submit(t, r); len(got) != 0 {
		t.Fatalf("outcomes of nothing: %v", got)
	}
}

func TestAFullSocketAnswersAtOnceAndWhatItTookArrives(t *testing.T) {
	for name, p := range map[string]*pipe{"socketpair": newPipe(t), "TCP": newTCP(t, listen(t))} {
		t.Run(name, func(t *testing.T) {
			r := newRing(t, 4)
			want := 0
			big := bytes.Repeat([]byte("0123456789abcdef"), 16<<10)
			for full := false; !full; {
				r.Send(p.fd, big, 7)
				switch o := submit(t, r)[7]; {
				case o.err == nil && o.n > 0:
					want += o.n
				case errors.Is(o.err, unix.EAGAIN):
					full = true
				default:
					t.Fatalf("%d bytes, %v", o.n, o.err)
				}
			}
			unix.Close(p.fd)
			p.fd = -1
			if n, err := io.Copy(io.Discard, p.peer); err != nil || n != int64(want) {
				t.Fatalf("%d bytes were reported and %d arrived: %v", want, n, err)
			}
		})
	}
}

func TestAPeerThatIsGoneIsAnErrorOfItsSendAlone(t *testing.T) {
	r := newRing(t, 8)
	closed, reset, well := newPipe(t), newTCP(t, listen(t)), newPipe(t)
	closed.peer.Close()
	for _, b := range []string{"unread, so that the close resets", "and waited for"} {
		if _, err := unix.Write(reset.fd, []byte(b)); err != nil {
			t.Fatal(err)
		}
	}
	reset.peer.Close()
	for hung := 0; hung <= 0; {
		hung, _ = unix.Poll([]unix.PollFd{{Fd: int32(reset.fd), Events: unix.POLLHUP}}, 1000)
	}
	r.Send(closed.fd, []byte("x"), 1)
	r.Send(reset.fd, []byte("x"), 2)
	r.Send(-1, []byte("x"), 3)
	r.Send(well.fd, []byte("x"), 4)
	got := submit(t, r)
	if o := got[1]; !errors.Is(o.err, unix.EPIPE) {
		t.Errorf("a closed peer: %d bytes, %v", o.n, o.err)
	}
	if o := got[2]; !errors.Is(o.err, unix.ECONNRESET) && !errors.Is(o.err, unix.EPIPE) {
		t.Errorf("a peer that reset: %d bytes, %v", o.n, o.err)
	}
	if o := got[3]; !errors.Is(o.err, unix.EBADF) {
		t.Errorf("no socket at all: %d bytes, %v", o.n, o.err)
	}
	if o := got[4]; o.n != 1 || o.err != nil {
		t.Errorf("the others' peer: %d bytes, %v", o.n, o.err)
	}
}

func TestWhatIsQueuedByTheOutcomeOfASendGoesOutWithIt(t *testing.T) {
	r := newRing(t, 2)
	p := newPipe(t)
	rest := []string{"b", "c", "d", "e"}
	r.Send(p.fd, []byte("a"), 0)
	if err := r.Submit(func(uint64, int, error) {
		if len(rest) > 0 {
			if !r.Send(p.fd, []byte(rest[0]), 0) {
				t.Error("no room for what follows")
			}
			rest = rest[1:]
		}
	}); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 5)
	if _, err := io.ReadFull(p.peer, b); err != nil || string(b) != "abcde" {
		t.Fatalf("%q, %v", b, err)
	}
}

func TestQueuedBytesLiveUntilTheyAreSent(t *testing.T) {
	r := newRing(t, 64)
	p := newPipe(t)
	for round := range 5 {
		for i := range r.Entries() {
			r.Send(p.fd, bytes.Repeat([]byte{byte(i)}, 100), uint64(i))
		}
		runtime.GC()
		for i := range r.Entries() {
			_ = bytes.Repeat([]byte{0xFF}, 100+i) // would lie where they lay
		}
		if got := submit(t, r); len(got) != r.Entries() {
			t.Fatalf("round %d: %d outcomes", round, len(got))
		}
		for i := range r.Entries() {
			b := make([]byte, 100)
			if _, err := io.ReadFull(p.peer, b); err != nil || !bytes.Equal(b, bytes.Repeat([]byte{byte(i)}, 100)) {
				t.Fatalf("round %d, send %d: %x, %v", round, i, b, err)
			}
		}
	}
}

func TestManyRingsAtOnceLoseNothing(t *testing.T) {
	const rings, pipes, rounds = 12, 10, 200
	var wg sync.WaitGroup
	defer wg.Wait()
	for n := range rings {
		r := newRing(t, 1<<(n%5))
		seed := rand.New(rand.NewPCG(1, uint64(n)))
		to := make([]*pipe, pipes)
		sent := make([]int, pipes)
		for i := range to {
			to[i] = newPipe(t)
			wg.Go(func() { inSequence(t, to[i].peer) })
		}
		wg.Go(func() {
			var due []int // of each pipe, what its send had
			done := func(tag uint64, n int, err error) {
				if err != nil && !errors.Is(err, unix.EAGAIN) {
					t.Error(err)
				}
				sent[tag] += n
			}
			for range rounds {
				due = seed.Perm(pipes)
				for _, i := range due {
					for !r.Send(to[i].fd, sequence(sent[i], 1+seed.IntN(3000)), uint64(i)) {
						if err := r.Submit(done); err != nil {
							t.Error(err)
							return
						}
					}
				}
				if err := r.Submit(done); err != nil {
					t.Error(err)
					return
				}
			}
			for i := range to {
				_ = unix.Shutdown(to[i].fd, unix.SHUT_WR)
			}
		})
	}
}

// sequence is n bytes of a stream from an offset on, of which each can be told by where it stands.
func sequence(from, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte((from + i) % 251)
	}
	return b
}

func inSequence(t *testing.T, r io.Reader) {
	buf, at := make([]byte, 4<<10), 0
	for {
		n, err := r.Read(buf)
		if !bytes.Equal(buf[:n], sequence(at, n)) {
			t.Errorf("behind %d bytes something was lost or repeated", at)
			return
		}
		if at += n; err != nil {
			if err != io.EOF || at == 0 {
				t.Errorf("after %d bytes: %v", at, err)
			}
			return
		}
	}
}

func TestARingIsOfNoThread(t *testing.T) {
	r := newRing(t, 4)
	p := newPipe(t)
	for i := range 20 {
		finished := make(chan map[uint64]outcome)
		go func() {
			runtime.LockOSThread() // and the thread ends with the goroutine
			r.Send(p.fd, []byte("x"), uint64(i))
			finished <- submit(t, r)
		}()
		if o := (<-finished)[uint64(i)]; o.n != 1 || o.err != nil {
			t.Fatalf("on thread %d: %d bytes, %v", i, o.n, o.err)
		}
	}
}

func TestClosedRingsLeaveNothingBehind(t *testing.T) {
	newRing(t, 1) // or skips
	held := func() (int, int) {
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		maps, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Fatal(err)
		}
		return len(files), strings.Count(string(maps), "io_uring")
	}
	files, maps := held()
	for range 200 {
		r, err := New(32)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.Close(), r.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if f, m := held(); f != files || m != maps {
		t.Fatalf("%d files and %d mappings more than before", f-files, m-maps)
	}
}

func TestASendAllocatesNothing(t *testing.T) {
	r := newRing(t, 16)
	well, full := newPipe(t), newPipe(t)
	for {
		if _, err := plain(full.fd, make([]byte, 16<<10)); err != nil {
			break
		}
	}
	b, in := []byte("0123456789"), make([]byte, 1<<10)
	done := func(uint64, int, error) {}
	if allocs := testing.AllocsPerRun(200, func() {
		for i := range 8 {
			r.Send(well.fd, b, uint64(i))
			r.Send(full.fd, b, uint64(i))
		}
		if err := r.Submit(done); err != nil {
			t.Fatal(err)
		}
		if _, err := well.peer.Read(in); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Fatalf("%v allocations a batch", allocs)
	}
}
