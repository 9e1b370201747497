// Package uring sends to very many sockets in one system call, by Linux's io_uring. It does this one thing: each
// send is tried once and never waits, so that all of a batch are done when the call returns.
//
// Whether the kernel gives a ring is known only by trying: containers forbid it, administrators switch it off, other systems
// and old kernels lack it. [New] says so, and its user sends in another way.
package uring
