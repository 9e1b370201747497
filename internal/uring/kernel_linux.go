package uring

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What this package needs of <linux/io_uring.h>.
const (
	opSend = 26

	setupClamp       = 1 << 4 // as many entries as there may be, rather than an error
	setupSubmitAll   = 1 << 7 // a send that is refused at once does not end the batch. Since 5.18
	setupCoopTaskrun = 1 << 8 // no interrupt to tell of a completion: who wants it asks. Since 5.19

	enterGetEvents = 1 << 0

	featSingleMmap = 1 << 0 // both rings are in one mapping. Since 5.4
	featNoDrop     = 1 << 1 // no completion is dropped where there is no room for it. Since 5.5

	offSQRing = 0
	offSQEs   = 0x10000000
)

type params struct {
	sqEntries, cqEntries, flags, sqThreadCPU, sqThreadIdle, features, wqFD uint32

	_     [3]uint32
	sqOff struct {
		head, tail, ringMask, ringEntries, flags, dropped, array, _ uint32

		_ uint64
	}
	cqOff struct {
		head, tail, ringMask, ringEntries, overflow, cqes, flags, _ uint32

		_ uint64
	}
}

// An sqe is one order to the kernel, here always a send.
type sqe struct {
	opcode, flags uint8
	ioprio        uint16
	fd            int32
	off           uint64
	addr          uint64
	len           uint32
	msgFlags      uint32
	userData      uint64
	_             [3]uint64
}

// A cqe is the outcome of one order.
type cqe struct {
	userData uint64
	res      int32
	flags    uint32
}

// setup makes a ring with the most flags that the kernel knows.
//
// IORING_SETUP_SINGLE_ISSUER and DEFER_TASKRUN are left out: they bind the ring to a thread, and a goroutine to it, and spare nothing where
// every send is done when the call returns. See docs/adr/0097-io-uring.md.
func setup(entries int, call func(entries int, p *params) (fd int, errno unix.Errno)) (fd int, p params, err error) {
	for _, flags := range []uint32{setupSubmitAll | setupCoopTaskrun, setupSubmitAll, 0} {
		p = params{flags: setupClamp | flags}
		fd, errno := call(max(entries, 1), &p)
		switch errno {
		case 0:
			if p.features&featSingleMmap == 0 || p.features&featNoDrop == 0 {
				unix.Close(fd)
				return -1, p, errTooOld
			}
			return fd, p, nil
		case unix.EINVAL: // a flag that it does not know
		case unix.EPERM:
			return -1, p, fmt.Errorf("forbidden, by kernel.io_uring_disabled or by the container's seccomp profile: %w", errno)
		default:
			return -1, p, fmt.Errorf("setting up: %w", errno)
		}
	}
	return -1, p, errTooOld
}

var errTooOld = fmt.Errorf("this kernel's is too old: %w", errors.ErrUnsupported)

func setupCall(entries int, p *params) (int, unix.Errno) {
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(entries), uintptr(unsafe.Pointer(p)), 0)
	return int(fd), errno
}

// enter hands orders to the kernel, and waits for outcomes where flags say so.
//
// Only then is the runtime told that this goroutine is in a system call: to hand over, every time, what it would need to go on, and to get that back, is
// more than a batch is worth. Nothing else runs in its place meanwhile, for a quarter of a millisecond with 64 sends.
func enter(fd int, submit, wait, flags uint32) (errno unix.Errno) {
	if flags&enterGetEvents != 0 {
		_, _, errno = unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(fd), uintptr(submit), uintptr(wait), uintptr(flags), 0, 0)
	} else {
		_, _, errno = unix.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(fd), uintptr(submit), uintptr(wait), uintptr(flags), 0, 0)
	}
	return errno
}
