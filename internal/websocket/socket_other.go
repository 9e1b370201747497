//go:build !unix

package websocket

const haveTryWrite = false

func tryWrite(uintptr, []byte) (int, error) { return 0, ErrWouldBlock }
