package stack

import (
	"os/exec"
	"syscall"
)

// endWithParent lets a process end with the tests, however these end. It is asked to: killed, NGINX would leave its workers.
func endWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
