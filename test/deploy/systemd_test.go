package deploy

import (
	"crypto/rand"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parkwire/internal/config"
	"parkwire/test/e2e/stack"
)

// The unit means to systemd what it is to mean, and exposes less than systemd calls a risk.
func TestTheUnitIsWhatSystemdUnderstands(t *testing.T) {
	analyze := need(t, "systemd-analyze")
	source := filepath.Join(stack.Root(), "deploy", "systemd")
	text, err := os.ReadFile(filepath.Join(source, "parkwire@.service"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	unit := filepath.Join(dir, "parkwire@notifications.service")
	// What the program and its user are on this machine is none of the unit's business.
	edited := strings.ReplaceAll(string(text), "/usr/local/bin/parkwire", "/bin/true")
	if err := os.WriteFile(unit, []byte(edited), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", "--man=no", "--generators=no", unit).CombinedOutput(); err != nil || strings.Contains(string(out), unit) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	// 0 exposes nothing, 10 everything; what the network needs costs 1.
	out, err := exec.Command(analyze, "security", "--offline=true", "--no-pager", "--threshold=15", unit).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
	t.Log(lastLine(string(out)))
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// The settings beside the unit are some that every part takes; each has addresses of its own, and the gateway finds the others there.
func TestTheSettingsBesideTheUnitAreTaken(t *testing.T) {
	folder := filepath.Join(stack.Root(), "deploy", "systemd")
	settings, taken := map[config.Target]map[string]string{}, map[string]config.Target{}
	for _, target := range config.Targets {
		if target == config.All {
			continue
		}
		env, err := os.ReadFile(filepath.Join(folder, string(target)+".env"))
		if err != nil {
			t.Fatal(err)
		}
		command := exec.Command(stack.Binary(t), "config", string(target), "--config", filepath.Join(folder, "parkwire.yaml"), "--format", "json")
		command.Env = strings.Fields(string(env))
		var warned strings.Builder
		command.Stderr = &warned
		out, err := command.Output()
		if err != nil || strings.Contains(warned.String(), "sets nothing") {
			t.Fatalf("parkwire config %s: %v\n%s", target, err, warned.String())
		}
		var all []struct{ Name, Value string }
		if err := json.Unmarshal(out, &all); err != nil {
			t.Fatal(err)
		}
		settings[target] = map[string]string{}
		for _, s := range all {
			settings[target][s.Name] = s.Value
		}
		for _, setting := range []string{"listen", "admin-listen"} {
			_, port, err := net.SplitHostPort(settings[target][setting])
			if other, twice := taken[port]; err != nil || twice {
				t.Errorf("%s of %s is %s, and %s has that port", setting, target, settings[target][setting], other)
			}
			taken[port] = target
		}
	}
	for setting, target := range map[string]config.Target{"parking-urls": config.Parking, "live-urls": config.Notifications, "history-urls": config.History,
		"audit-urls": config.Audit, "alerts-urls": config.Alerts} {
		_, port, _ := net.SplitHostPort(settings[target]["listen"])
		if got := settings[config.Gateway][setting]; got != "http://127.0.0.1:"+port {
			t.Errorf("%s is %s, and %s listens at %s", setting, got, target, settings[target]["listen"])
		}
	}
}

// The process says when it is ready and when it begins to end, which is what systemctl restart waits for.
func TestTheProcessTellsSystemd(t *testing.T) {
	socket := "@parkwire-" + rand.Text()
	heard, err := net.ListenPacket("unixgram", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer heard.Close()
	next := func() string {
		t.Helper()
		buffer := make([]byte, 256)
		if err := heard.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		n, _, err := heard.ReadFrom(buffer)
		if err != nil {
			t.Fatal(err)
		}
		return string(buffer[:n])
	}
	admin := stack.Address(stack.Port(t))
	p := stack.Start(t, "all", []string{"NOTIFY_SOCKET=" + socket}, stack.Binary(t), "all", "--data-dir", t.TempDir(),
		"--listen", stack.Address(stack.Port(t)), "--admin-listen", admin, "--kafka-listen", stack.Address(stack.Port(t)))
	if got := next(); got != "READY=1" {
		t.Fatalf("it says %q first", got)
	}
	answer, err := http.Get("http://" + admin + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("it said that it is ready, and /readyz says %d", answer.StatusCode)
	}
	p.Signal(t, syscall.SIGTERM)
	if got := next(); got != "STOPPING=1" {
		t.Errorf("it says %q at its end", got)
	}
	if code := p.Wait(t, time.Minute); code != 0 {
		t.Errorf("it ended with exit code %d:\n%s", code, p.Output())
	}
}
