package gateway_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"parkwire/internal/gateway"
)

// envSearches says that a process has the search list of its test.
const envSearches = "PARKWIRE_TEST_SEARCHES"

// searching runs the test in a process of its own, for which names end as search says, and reports whether this is that process.
func searching(t *testing.T, search string) bool {
	t.Helper()
	if os.Getenv(envSearches) != "" {
		return true
	}
	file := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(file, []byte("nameserver 127.0.0.1\nsearch "+search+"\noptions ndots:5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	inNamespace := func(command string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "/bin/sh", append([]string{"-c", `mount --bind "$0" /etc/resolv.conf && ` + command, file}, args...)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		}
		cmd.Env = append(os.Environ(), envSearches+"=1")
		return cmd
	}
	if out, err := inNamespace("true").CombinedOutput(); err != nil {
		t.Skipf("skipped: this machine lets nobody have a resolv.conf of their own: %v: %s", err, out)
	}
	if out, err := inNamespace(`exec "$@"`, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v").CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	return false
}

// In Kubernetes a name is asked for with each ending of the search list. The answer that there is none with the last is no answer, where the server
// failed for the first, with which it commonly is.
func TestAServerThatFailsForOneEndingOfANameChangesNothing(t *testing.T) {
	if !searching(t, "platform.svc.test svc.test") {
		return
	}
	dns, c := newNameServer(t), newCrew(t)
	c.start("127.0.0.1", &fake{name: "parking 1"})
	dns.set("parking.platform.svc.test", "127.0.0.1")
	proxy := named(t, dns, "parking", c.url("parking"))
	b := newBench(t, func(o *gateway.Options) { o.Parking = proxy })
	answersBy(b, "parking 1")
	dns.setFailing("parking.platform.svc.test")
	dns.afterLookups()
	answersBy(b, "parking 1")
	dns.setFailing()
	dns.set("parking.platform.svc.test") // which says for certain that there is nobody
	eventually(t, "the part is not ready", func() bool { return proxy.Ready() != nil })
}
