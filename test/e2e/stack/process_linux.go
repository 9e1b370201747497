package stack

import (
	"os/exec"
	"syscall"
)

// endWithParent lets a process die with the tests, however these end.
func endWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
