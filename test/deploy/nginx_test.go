// Package deploy proves that what deploy/ ships works: the configurations of NGINX, the image and compose.yaml.
package deploy

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"parkwire/internal/proxyprotocol"
	"parkwire/test/e2e/stack"
)

// need returns the path of a program. Without it the test is skipped, or fails where the environment says that
// everything is installed.
func need(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv(stack.EnvDistributed) == "1" {
			t.Fatalf("%s is not installed, although %s=1 promises it", name, stack.EnvDistributed)
		}
		t.Skipf("skipped: %s is not installed", name)
	}
	return path
}

// nginxFolder copies deploy/nginx, takes the addresses of the folder site, and returns the copy.
func nginxFolder(t *testing.T, site string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "nginx")
	source := filepath.Join(stack.Root(), "deploy", "nginx")
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "site")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "site"), os.DirFS(filepath.Join(source, site))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// edit rewrites a file.
func edit(t *testing.T, change func(string) string, path ...string) {
	t.Helper()
	file := filepath.Join(path...)
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte(change(string(text))), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// inCompose finds what is different under compose: names that are looked up for as long as NGINX runs, which one that is older than 1.27.3 cannot.
var inCompose = regexp.MustCompile(`(?:gateway|notifications)(:\d+) resolve`)

func TestNGINXAcceptsEveryConfiguration(t *testing.T) {
	nginx := need(t, "nginx")
	for _, main := range []string{"nginx.conf", "nginx-l4.conf"} {
		for _, site := range []string{"site", "site-host"} {
			t.Run(main+" with "+site, func(t *testing.T) {
				dir := nginxFolder(t, site)
				for _, file := range []string{"http.conf", "stream.conf"} {
					edit(t, func(text string) string {
						return strings.ReplaceAll(inCompose.ReplaceAllString(text, "127.0.0.1$1"), " /tmp/", " "+dir+"/")
					}, dir, "site", file)
				}
				accepts(t, nginx, dir, main)
			})
		}
	}
	t.Run("with TLS", func(t *testing.T) {
		dir := nginxFolder(t, "site-host")
		certificates := filepath.Join(dir, "tls")
		certificate(t, certificates, "127.0.0.1")
		text, err := os.ReadFile(filepath.Join(dir, "tls.conf"))
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.ReplaceAll(string(text), "/etc/nginx/tls", certificates))
		if err := os.WriteFile(filepath.Join(dir, "site", "tls.conf"), text, 0o644); err != nil {
			t.Fatal(err)
		}
		accepts(t, nginx, dir, "nginx.conf")
	})
}

func accepts(t *testing.T, nginx, dir, main string) {
	t.Helper()
	cmd := exec.Command(nginx, "-t", "-c", filepath.Join(dir, main), "-g", "pid "+filepath.Join(dir, "nginx.pid")+";")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("nginx refuses %s: %v\n%s", main, err, out)
	}
}

func TestTheEdgeItselfAnswersInProblemJSONAndKeepsTokensOutOfItsLog(t *testing.T) {
	nginx := need(t, "nginx")
	dir := nginxFolder(t, "site-host")
	address := stack.Address(stack.Port(t))
	log := filepath.Join(dir, "access.log")
	edit(t, func(text string) string {
		text = strings.Replace(text, "/dev/stdout", log, 1)
		text = regexp.MustCompile(`server 127\.0\.0\.1:\d+`).ReplaceAllStringFunc(text, func(string) string {
			return "server " + stack.Address(stack.Port(t)) // where nobody listens
		})
		for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			text += fmt.Sprintf("%s_temp_path %s;\n", name, filepath.Join(dir, name))
		}
		return text
	}, dir, "site", "http.conf")
	edit(t, func(string) string { return "listen " + address + ";" }, dir, "site", "listen.conf")
	directives := "daemon off; pid " + filepath.Join(dir, "nginx.pid") + ";"
	if os.Getuid() == 0 {
		directives += " user root;"
	}
	p := stack.Start(t, "nginx", nil, nginx, "-c", filepath.Join(dir, "nginx.conf"), "-g", directives)
	eventually(t, time.Minute, "NGINX answers", func() error {
		_, _, err := get("http://" + address + "/nginx-health")
		return err
	})

	for path, want := range map[string]int{"/api/v1/lots": 503, "/notifications?access_token=secret": 503, "/api/v1/alerts/stream?access_token=secret": 503, "/": 503} {
		answer, body, err := get("http://" + address + path)
		if err != nil {
			t.Fatal(err)
		}
		if kind := answer.Header.Get("Content-Type"); answer.StatusCode != want || kind != "application/problem+json" || answer.Header.Get("Retry-After") == "" {
			t.Errorf("GET %s with no instance: %d %q, Retry-After %q; a problem of status %d was promised: %s",
				path, answer.StatusCode, kind, answer.Header.Get("Retry-After"), want, body)
		}
	}

	large := strings.NewReader(strings.Repeat(" ", 33<<20))
	answer, err := http.Post("http://"+address+"/api/v1/observations", "application/json", large)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != 413 || kind != "application/problem+json" {
		t.Errorf("a body beyond the limit: %d %q instead of a problem of status 413", answer.StatusCode, kind)
	}

	p.Stop(t)
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "GET /notifications 503") || strings.Contains(string(text), "secret") {
		t.Errorf("the access log must name the path and not the query, which may carry a token:\n%s", text)
	}
}

func get(url string) (*http.Response, string, error) {
	answer, err := http.Get(url)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, string(body), err
}

// eventually repeats try until it succeeds.
func eventually(t *testing.T, patience time.Duration, what string, try func() error) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		err := try()
		if err == nil {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("%s: not after %v: %v", what, patience, err)
		}
	}
}

// Over the stream too, an instance learns who the client is. An instance that cannot be reached is passed over.
func TestTheStreamBringsTheAddressOfTheClient(t *testing.T) {
	need(t, "nginx")
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	instance := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) })}
	ended := make(chan error, 1)
	go func() {
		ended <- instance.Serve(&proxyprotocol.Listener{
			TCPListener: tcp.(*net.TCPListener), Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Timeout: time.Minute, Logger: slog.New(slog.DiscardHandler),
		})
	}()
	t.Cleanup(func() {
		instance.Close()
		<-ended
	})
	edge := stack.NGINXFor(t, stack.NGINXL4, map[string][]string{"parkwire_live_l4": {stack.Address(stack.Port(t)), tcp.Addr().String()}})
	edge.Restart(t)

	from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
	if runtime.GOOS == "linux" { // where all of 127.0.0.0/8 is this machine
		from.IP = net.IPv4(127, 0, 77, 7)
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{LocalAddr: from}).DialContext}}
	for range 4 { // each of the two is to be tried first
		answer, err := client.Get(edge.L4)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || !strings.HasPrefix(string(body), from.IP.String()+":") {
			t.Errorf("the instance was told that %q is there, %v; it is %v", body, err, from.IP)
		}
	}
}
