package e2e

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// What "parkwire verify" finds while processes are killed and restarted under it: nothing. It stands where users stand, and in
// the distributed way most of its clients listen to the instances themselves.
func TestVerifyFindsNothingWhileProcessesEnd(t *testing.T) {
	stack.ForEach(t, func(t *testing.T, s *stack.Stack) {
		file := filepath.Join(t.TempDir(), "report.json")
		args := []string{"verify", "--url", s.URL, "--duration", "0", "--rate", "60", "--spots", "40", "--clients", "24", "--sse", "4",
			"--settle", "60s", "--json", file}
		victims, last := []*stack.Node{s.One}, s.One
		if s.One == nil {
			victims = []*stack.Node{s.Live[0], s.Parking[0], s.Gateways[0]}
			last = s.Live[1] // the clients of the first have gone elsewhere
			for _, instance := range s.Instances() {
				args = append(args, "--listen-url", instance)
			}
		}
		verify := stack.Start(t, "verify", []string{"PARKWIRE_TOKEN=" + s.Token}, stack.Binary(t), args...)
		s.WebSocket(t).Count(t, 40+60) // it is at work
		time.Sleep(2 * time.Second)
		for _, victim := range victims {
			victim.Kill(t)
			time.Sleep(500 * time.Millisecond)
			victim.Restart(t)
			time.Sleep(1500 * time.Millisecond)
		}
		last.Stop(t) // and one in order
		last.Restart(t)
		before := len(verify.Output()) // what it said until now may be of a fault that it had not noticed
		eventually(t, time.Minute, "the fault to be over", func() bool {
			said := verify.Output()
			return strings.Contains(said[max(before, strings.LastIndex(said, "\n")+1):], "(after)")
		})
		verify.Signal(t, syscall.SIGINT)
		if code := verify.Wait(t, 2*time.Minute); code != 0 {
			t.Fatalf("it ended with exit code %d:\n%s", code, verify.Output())
		}
		t.Log(verify.Output())

		var r struct {
			OK                                                      bool
			Acknowledged, Delivered, Lost, Repeated, OutOfOrder     int64
			Wrong, Forgotten, Unanswered, Reconnects, Refused, Late int64
			Phases                                                  []struct{ Kind string }
		}
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &r)
		}
		if err != nil {
			t.Fatal(err)
		}
		if !r.OK || r.Lost+r.Repeated+r.OutOfOrder+r.Wrong+r.Forgotten != 0 {
			t.Errorf("the report is %s", text)
		}
		if r.Reconnects == 0 || r.Acknowledged < 100 || r.Delivered != 24*(r.Acknowledged+40) {
			t.Errorf("it shows little: %s", text)
		}
		if n := len(r.Phases); n < 3 || r.Phases[0].Kind != "before" || r.Phases[1].Kind != "fault" || r.Phases[2].Kind != "after" {
			t.Errorf("the phases are %+v", r.Phases)
		}
		if answer := s.Do(t, 200, "GET", "/api/v1/lots", nil, nil); strings.Contains(string(answer.Body), "verify-") {
			t.Errorf("its lot was left behind: %s", answer.Body)
		}
	})
}

// Without a platform there is nothing to say, and nothing is made up.
func TestVerifyWithoutAPlatformFails(t *testing.T) {
	t.Parallel()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := stack.Start(t, "verify", nil, stack.Binary(t), "verify", "--url", "http://"+nobody.Addr().String())
	nobody.(*net.TCPListener).SetDeadline(time.Now().Add(time.Minute))
	conn, err := nobody.Accept() // it has come to where it waits for one
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	conn.Close()
	time.Sleep(2 * time.Second) // in which it tries again
	p.Signal(t, syscall.SIGTERM)
	if code := p.Wait(t, 30*time.Second); code != 1 {
		t.Errorf("it ended with exit code %d:\n%s", code, p.Output())
	}
	mentions(t, p.Output(), "no cursor", "refused")
}
