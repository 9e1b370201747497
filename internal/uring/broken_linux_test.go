package uring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What a kernel may do instead of taking a batch.
var refusals = map[string]func(call int, take func(n uint32) unix.Errno, submit uint32) unix.Errno{
	"takes one at a time": func(_ int, take func(uint32) unix.Errno, submit uint32) unix.Errno { return take(min(submit, 1)) },
	"is interrupted before and after": func(call int, take func(uint32) unix.Errno, submit uint32) unix.Errno {
		if call%2 == 0 {
			return unix.EINTR
		}
		take(min(submit, 3))
		return unix.EINTR
	},
	"lacks memory for the rest": func(_ int, take func(uint32) unix.Errno, submit uint32) unix.Errno {
		take(min(submit, 3))
		return unix.EAGAIN
	},
	"wants outcomes read first": func(_ int, take func(uint32) unix.Errno, submit uint32) unix.Errno {
		take(min(submit, 3))
		return unix.EBUSY
	},
}

func TestABatchThatTheKernelTakesInPartsIsSentWhole(t *testing.T) {
	for name, refuse := range refusals {
		t.Run(name, func(t *testing.T) {
			r := newRing(t, 16)
			call := 0
			r.enter = func(fd int, submit, wait, flags uint32) unix.Errno {
				call++
				return refuse(call, func(n uint32) unix.Errno { return enter(fd, n, wait, flags) }, submit)
			}
			sendAll(t, r, nil)
		})
	}
}

func TestARingThatBreaksLosesNothing(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EAGAIN, unix.EBUSY, unix.EBADF, unix.ENXIO} {
		t.Run(unix.ErrnoName(errno), func(t *testing.T) {
			r := newRing(t, 16)
			call := 0
			r.enter = func(fd int, submit, wait, flags uint32) unix.Errno {
				if call++; call > 1 {
					return errno
				}
				return enter(fd, min(submit, 5), wait, flags)
			}
			sendAll(t, r, errno)
			sendAll(t, r, errno) // and goes on, if it is asked to
		})
	}
}

// sendAll sends a batch to a pipe each, and checks that all arrives once whatever the ring goes through.
func sendAll(t *testing.T, r *Ring, want error) {
	t.Helper()
	pipes := make([]*pipe, r.Entries())
	for i := range pipes {
		pipes[i] = newPipe(t)
		r.Send(pipes[i].fd, fmt.Appendf(nil, "frame %d", i), uint64(i))
	}
	got := map[uint64]outcome{}
	if err := r.Submit(record(t, got)); !errors.Is(err, want) {
		t.Fatalf("the ring reports %v", err)
	}
	for i, p := range pipes {
		b := make([]byte, 20)
		n, err := p.peer.Read(b)
		if o := got[uint64(i)]; err != nil || string(b[:n]) != fmt.Sprintf("frame %d", i) || o.n != n || o.err != nil {
			t.Fatalf("of send %d %q arrived, %v; reported as %d bytes, %v", i, b[:n], err, o.n, o.err)
		}
		unix.Close(p.fd)
		if p.fd = -1; readsMore(p.peer) {
			t.Fatalf("send %d arrived twice", i)
		}
	}
}

func readsMore(f io.Reader) bool {
	n, _ := f.Read(make([]byte, 1))
	return n > 0
}

func TestWhatABrokenRingNeverReportedIsAnError(t *testing.T) {
	r := newRing(t, 4)
	taken := false
	r.enter = func(int, uint32, uint32, uint32) unix.Errno {
		if !taken {
			taken = true
			atomic.AddUint32(r.sqHead, 2) // and nothing is heard of them again
		}
		return unix.EBADF
	}
	var pipes []*pipe
	for i := range 3 {
		pipes = append(pipes, newPipe(t))
		r.Send(pipes[i].fd, []byte("x"), uint64(i))
	}
	got := map[uint64]outcome{}
	if err := r.Submit(record(t, got)); !errors.Is(err, unix.EBADF) {
		t.Fatalf("the ring reports %v", err)
	}
	for i := range 2 {
		if o := got[uint64(i)]; o.n != 0 || !errors.Is(o.err, unix.EBADF) {
			t.Errorf("send %d, of which nobody knows: %d bytes, %v", i, o.n, o.err)
		}
	}
	if o := got[2]; o.n != 1 || o.err != nil {
		t.Errorf("the send that was not taken: %d bytes, %v", o.n, o.err)
	}
}

func TestOutcomesForWhichThereIsNoRoomComeLater(t *testing.T) {
	r := newRing(t, 4)
	p := newPipe(t)
	const all = 20 // the kernel has room for 8 outcomes
	r.sends = make([]send, all)
	r.free = r.free[:0]
	for i := range all {
		r.free = append(r.free, uint32(i))
	}
	for i := range all {
		r.Send(p.fd, []byte{'x'}, uint64(i))
		if errno := r.exchange(); errno != 0 && errno != unix.EBUSY {
			t.Fatal(errno)
		}
		if atomic.LoadUint32(r.sqHead) == r.taken {
			continue // it may refuse; then they are still queued
		}
		r.taken++
		r.flying++
	}
	if got := submit(t, r); len(got) != all {
		t.Fatalf("%d outcomes of %d sends", len(got), all)
	}
}

func TestAnOlderKernelIsAskedForLess(t *testing.T) {
	newRing(t, 1) // or skips
	for knows, works := range map[uint32]bool{setupClamp | setupSubmitAll: true, setupClamp: true, 0: false} {
		fd, p, err := setup(4, func(entries int, p *params) (int, unix.Errno) {
			if p.flags&^knows != 0 {
				return -1, unix.EINVAL
			}
			return setupCall(entries, p)
		})
		if works != (err == nil) || works && p.flags&^knows != 0 || !works && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("where flags %#x are known: %#x, %v", knows, p.flags, err)
		}
		if err == nil {
			unix.Close(fd)
		}
	}
}

func TestAKernelThatRefusesIsAnErrorThatSaysWhy(t *testing.T) {
	newRing(t, 1) // or skips
	for _, test := range []struct {
		name  string
		call  uint32
		errno unix.Errno
		want  error
	}{
		{"io_uring is forbidden", unix.SYS_IO_URING_SETUP, unix.EPERM, fs.ErrPermission},
		{"there is no io_uring", unix.SYS_IO_URING_SETUP, unix.ENOSYS, errors.ErrUnsupported},
		{"it may be made, not used", unix.SYS_IO_URING_ENTER, unix.EPERM, fs.ErrPermission},
	} {
		t.Run(test.name, func(t *testing.T) {
			if os.Getenv("URING_REFUSED") == "" { // what is forbidden stays so: in a process of its own
				c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
				c.Env = append(os.Environ(), "URING_REFUSED=1")
				c.Args = append(c.Args, "-test.v")
				if out, err := c.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- ")) {
					t.Fatalf("%v\n%s", err, out)
				}
				return
			}
			forbid(t, test.call, test.errno)
			r, err := New(8)
			if err == nil {
				r.Close()
			}
			if !errors.Is(err, test.want) {
				t.Fatalf("New says %v", err)
			}
		})
	}
}

// forbid makes every later system call of that number in this process fail.
func forbid(t *testing.T, call uint32, errno unix.Errno) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: call},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		t.Skip("no seccomp here:", err)
	}
	if _, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program))); e != 0 {
		t.Skip("no seccomp here:", e)
	}
}
