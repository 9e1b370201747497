package doctor

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ThisMachine asks the operating system.
func ThisMachine() Machine {
	m := Machine{Sysctls: map[string]int64{}}
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
		m.Files = uint64(limit.Cur) // to which Go has raised it
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		m.Memory = int64(info.Totalram) * int64(info.Unit)
	}
	for _, path := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if n, ok := readNumber(path); ok && n > 0 && n < m.Memory {
			m.Memory = n
		}
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	for _, key := range []string{"fs.nr_open", "fs.file-max", "net.core.somaxconn", "net.netfilter.nf_conntrack_max"} {
		if n, ok := readNumber("/proc/sys/" + strings.ReplaceAll(key, ".", "/")); ok {
			m.Sysctls[key] = n
		}
	}
	if text, err := os.ReadFile("/proc/sys/net/ipv4/tcp_mem"); err == nil {
		if fields := strings.Fields(string(text)); len(fields) == 3 {
			if n, err := strconv.ParseInt(fields[2], 10, 64); err == nil {
				m.Sysctls["net.ipv4.tcp_mem"] = n
			}
		}
	}
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		if fields := strings.Fields(string(text)); len(fields) == 2 {
			m.PortsFrom, _ = strconv.Atoi(fields[0])
			m.PortsTo, _ = strconv.Atoi(fields[1])
		}
	}
	if state, err := unix.Adjtimex(&unix.Timex{}); err == nil && state == unix.TIME_ERROR {
		m.Unsynchronised = true
	}
	return m
}

// onNetwork names the kind of network file system that a path is on; "" where it is on a disk of this machine.
func onNetwork(path string) string {
	var fs unix.Statfs_t
	if unix.Statfs(path, &fs) != nil {
		return ""
	}
	switch uint32(fs.Type) {
	case unix.NFS_SUPER_MAGIC:
		return "NFS"
	case unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC:
		return "SMB"
	}
	return ""
}

// freeSpace is how many bytes are left where a path is; -1 where that is not known.
func freeSpace(path string) int64 {
	var fs unix.Statfs_t
	if unix.Statfs(path, &fs) != nil {
		return -1
	}
	return int64(fs.Bavail) * int64(fs.Bsize)
}
