// Distributed runs the distributed stack for the tests of the dashboard, which are no Go: NGINX in front of two gateways, on the real
// servers that the environment names. It prints where the stack is as one line of JSON, obeys orders on standard input, one a line, answers each
// with a line, and ends, with everything that it started, when its input ends.
package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parkwire/test/e2e/stack"
)

// an order names a process, or has a subcommand to be run with the settings of the stack.
type order struct {
	Do   string   // kill, stop, start or run
	Node string   // of all but run
	Args []string // of run
}

type answer struct {
	Said string `json:"said"`
}

func main() {
	if err := stack.Script(serve); err != nil {
		fmt.Fprintln(os.Stderr, "distributed:", err)
		os.Exit(1)
	}
}

func serve(t stack.T) {
	// Webhooks and pushes go to receivers on this machine.
	alerts := []string{
		"PARKWIRE_ALERTS_VAPID_SUBJECT=mailto:ops@example.org", "PARKWIRE_ALERTS_VAPID_KEY_FILE=" + vapidKey(t),
		"PARKWIRE_ALERTS_WEBHOOK_ALLOW=127.0.0.1/32",
	}
	s := stack.Assemble(t, stack.RealServers(t), stack.Layout{Gateways: 2, Parking: 2, Live: 2, History: 1, Alerts: 1, Env: func(name string) []string {
		if strings.HasPrefix(name, "alerts") {
			return alerts
		}
		return nil
	}})
	s.StartAll(t)
	s.WaitAllReady(t)
	s.StartEdge(t)

	nodes, urls := map[string]*stack.Node{}, map[string]string{}
	for _, n := range append(s.Nodes(), s.Edge) {
		nodes[n.Name], urls[n.Name] = n, n.URL
	}
	out := json.NewEncoder(os.Stdout)
	say := func(what any) {
		if err := out.Encode(what); err != nil {
			t.Fatalf("answering: %v", err)
		}
	}
	say(map[string]any{"url": s.URL, "nodes": urls})

	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var o order
		if err := json.Unmarshal(in.Bytes(), &o); err != nil {
			t.Fatalf("%q is no order: %v", in.Text(), err)
		}
		n := nodes[o.Node]
		if n == nil && o.Do != "run" {
			t.Fatalf("there is no process %q", o.Node)
		}
		said := ""
		switch o.Do {
		case "kill":
			n.Kill(t)
		case "stop": // NGINX, whose workers would outlive it: told so, it drops every connection at once
			n.Stop(t)
		case "start":
			n.Restart(t)
		case "run":
			said = strings.TrimSpace(s.Command(t, time.Minute, o.Args...))
		default:
			t.Fatalf("%q is no order", o.Do)
		}
		say(answer{said})
	}
}

// vapidKey makes a key by which push services know the platform, and returns its file.
func vapidKey(t stack.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vapid.key")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("making a key: %v", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err == nil {
		err = os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
	}
	if err != nil {
		t.Fatalf("writing a key: %v", err)
	}
	return path
}
