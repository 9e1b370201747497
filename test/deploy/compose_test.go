package deploy

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parkwire/test/e2e/stack"
)

// envAddress is where the engine publishes ports, if that is not this machine: see test/kit/docker.sh.
const envAddress = "PARKWIRE_TEST_DOCKER_ADDRESS"

// The known answers of the file, see the README beside it.
const (
	pklot        = "pklot-ufpr04-observations.csv"
	pklotSpots   = 28
	pklotChanges = 2132
)

// project is a compose project with names and ports of its own.
type project struct {
	name       string
	env        []string
	url        string // of NGINX
	l4, secure string // the same by its stream, and with TLS
	host       string // where the engine publishes ports
	tls        string // the folder of the certificate
	trust      *x509.CertPool
	manual     string // what is written on it
}

func prepare(t *testing.T, image string) *project {
	t.Helper()
	need(t, "docker")
	deploy, dir := filepath.Join(stack.Root(), "deploy"), t.TempDir()
	host := cmp.Or(os.Getenv(envAddress), "127.0.0.1")
	ports := map[string]int{"PARKWIRE_PORT": stack.Port(t), "PARKWIRE_L4_PORT": stack.Port(t), "PARKWIRE_TLS_PORT": stack.Port(t)}
	address := func(scheme, port string) string { return fmt.Sprintf("%s://%s:%d", scheme, host, ports[port]) }
	p := &project{
		name: fmt.Sprintf("parkwire-test-%d", os.Getpid()),
		host: host, tls: filepath.Join(dir, "tls"),
		url: address("http", "PARKWIRE_PORT"), l4: address("http", "PARKWIRE_L4_PORT"), secure: address("https", "PARKWIRE_TLS_PORT"),
	}
	manual, err := os.ReadFile(filepath.Join(stack.Root(), "docs", "operating.md"))
	if err != nil {
		t.Fatal(err)
	}
	p.manual = string(manual)
	secrets := filepath.Join(dir, "secrets")
	stack.Run(t, time.Minute, nil, filepath.Join(deploy, "secrets.sh"), secrets)
	p.trust = certificate(t, p.tls, host)
	own := filepath.Join(dir, "own.yaml") // what an operator's own file may be for; here it is to be quick
	if err := os.WriteFile(own, []byte("services: { notifications: { environment: { PARKWIRE_DRAIN_WINDOW: 3s } } }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.env = []string{
		"COMPOSE_PROJECT_NAME=" + p.name,
		"COMPOSE_FILE=" + strings.Join([]string{filepath.Join(deploy, "compose.yaml"), filepath.Join(deploy, "compose.tls.yaml"), own}, ":"),
		"PARKWIRE_IMAGE=" + image, "PARKWIRE_SECRETS=" + secrets, "PARKWIRE_TLS=" + p.tls, "PARKWIRE_NGINX=nginx-l4.conf",
	}
	for variable, port := range ports {
		p.env = append(p.env, fmt.Sprintf("%s=%d", variable, port))
	}
	for _, server := range []string{"KAFKA", "REDIS", "POSTGRES", "NGINX"} { // stack.Run takes PARKWIRE_… away
		if v := os.Getenv("PARKWIRE_" + server + "_IMAGE"); v != "" {
			p.env = append(p.env, "PARKWIRE_"+server+"_IMAGE="+v)
		}
	}
	return p
}

// certificate makes a certificate for an address, as parkwire.crt and parkwire.key in a folder, and returns who trusts it.
func certificate(t *testing.T, dir, host string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, IPAddresses: []net.IP{net.ParseIP(host)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"parkwire.crt": public, "parkwire.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(public)
	return pool
}

// compose runs a command of docker compose and returns its standard output.
func (p *project) compose(t *testing.T, args ...string) string {
	t.Helper()
	return stack.Run(t, 5*time.Minute, p.env, "docker", append([]string{"compose"}, args...)...)
}

// typed does what stands in docs/operating.md.
func (p *project) typed(t *testing.T, command string) string {
	t.Helper()
	if !strings.Contains(p.manual, command) {
		t.Errorf("docs/operating.md does not say %q", command)
	}
	began := time.Now()
	out := stack.Run(t, 10*time.Minute, p.env, "bash", "-c", `cd "$1" && `+command, "bash", stack.Root())
	t.Logf("%s: %v", command, time.Since(began).Round(100*time.Millisecond))
	return out
}

// try is compose for what may fail, and returns everything that was said.
func (p *project) try(args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "docker", append([]string{"compose"}, args...)...)
	cmd.Env = append(stack.Environ(), p.env...)
	out, _ := cmd.CombinedOutput()
	return string(out)
}

// container is what the engine says of one.
type container struct {
	ID, Name string
	State    struct{ Health struct{ Status string } }
	Config   struct{ User string }

	HostConfig struct {
		ReadonlyRootfs       bool
		CapDrop, SecurityOpt []string
		Memory, NanoCpus     int64
		PidsLimit            int64
		RestartPolicy        struct{ Name string }
	}
	NetworkSettings struct {
		Networks map[string]struct{ IPAddress string }
	}
}

// containers are those of some services, or of all.
func (p *project) containers(t *testing.T, services ...string) (all []container) {
	t.Helper()
	ids := strings.Fields(p.compose(t, append([]string{"ps", "-q"}, services...)...))
	if err := json.Unmarshal([]byte(stack.Run(t, time.Minute, nil, "docker", append([]string{"inspect"}, ids...)...)), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// clients is how many clients each notification instance has, by its container.
func (p *project) clients(t *testing.T) map[string]string {
	t.Helper()
	clients := map[string]string{}
	for _, c := range p.containers(t, "notifications") {
		address := c.NetworkSettings.Networks[p.name+"_edge"].IPAddress
		metrics := p.compose(t, "exec", "-T", "nginx", "curl", "-fsS", "http://"+address+":9500/metrics")
		for line := range strings.Lines(metrics) {
			if name, n, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(name, "parkwire_live_connections") && n != "0" {
				clients[c.Name] = n
			}
		}
	}
	return clients
}

// The whole of compose.yaml is brought up once, and then done with what an operator does.
func TestComposeIsOperatedWithoutLoss(t *testing.T) {
	p := prepare(t, image(t))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s\n%s", p.try("ps", "-a"), p.try("logs", "--no-color", "--tail", "25"))
		}
		p.try("down", "--volumes", "--timeout", "10")
	})
	began := time.Now()
	p.compose(t, "up", "--detach", "--no-build", "--wait", "--wait-timeout", "180")
	t.Logf("%d containers were healthy after %v", len(p.containers(t)), time.Since(began).Round(100*time.Millisecond))
	api := stack.API{URL: p.url, Token: strings.TrimSpace(p.compose(t, "run", "--rm", "--no-deps", "-T", "gateway", "token", "--scope", "operate"))}

	t.Run("answers through NGINX", func(t *testing.T) { answers(t, p, api) })
	t.Run("a certificate is renewed", func(t *testing.T) { renew(t, p) })
	t.Run("containers may do little", func(t *testing.T) { hardened(t, p) })
	t.Run("a real car park", func(t *testing.T) { replay(t, p, api) })
	t.Run("more, fewer and other instances", func(t *testing.T) { change(t, p, api) })
	t.Run("one of each part may go", func(t *testing.T) {
		for _, service := range []string{"gateway", "parking", "notifications"} {
			stack.Run(t, time.Minute, nil, "docker", "stop", p.containers(t, service)[0].ID)
		}
		for range 8 { // who comes in the same moment is taken by those that are left
			stack.ListenWebSocket(t, p.url, stack.Query(t, "lot", "yard"))
		}
		late := stack.ListenWebSocket(t, p.url, stack.Query(t, "lot", "yard"))
		late.Spot(t, "Y-1", api.Toggle(t, api.Spot(t, "Y-1")).Version)
	})
}

func answers(t *testing.T, p *project, api stack.API) {
	listeners := map[string]*stack.Listener{
		"WebSocket":          stack.ListenWebSocket(t, p.url, stack.Query(t, "lot", "yard")),
		"server-sent events": stack.ListenSSE(t, p.url, stack.Query(t, "lot", "yard"), ""),
		"the stream":         stack.ListenWebSocket(t, p.l4, stack.Query(t, "lot", "yard")),
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.trust}}}
	defer client.CloseIdleConnections()
	secure, _, err := websocket.Dial(t.Context(), p.secure+"/notifications?lot=yard", &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatalf("notifications with TLS: %v", err)
	}
	defer secure.CloseNow()

	api.AddLot(t, "yard", "Y-1", "Y-2")
	api.Act(t, "Y-1", "occupy")
	for name, listener := range listeners {
		frames := listener.Spot(t, "Y-1", 2)
		if last := frames[len(frames)-1]; last.Status != "occupied" {
			t.Errorf("by %s the spot is %q after it was occupied", name, last.Status)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for seen := false; !seen; {
		_, message, err := secure.Read(ctx)
		if err != nil {
			t.Fatalf("by TLS: %v", err)
		}
		seen = bytes.Contains(message, []byte(`"occupied"`))
	}
	answer, err := client.Get(p.secure + "/api/v1/lots")
	if err != nil {
		t.Fatalf("with TLS: %v", err)
	}
	answer.Body.Close()
	if answer.StatusCode != 200 || answer.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("with TLS: %s, Strict-Transport-Security %q", answer.Status, answer.Header.Get("Strict-Transport-Security"))
	}
	if answer, err := (stack.API{URL: p.url}).Try("POST", "/api/v1/spots/Y-1/release", nil); err != nil || answer.Status != 401 {
		t.Errorf("a write without a token: %d %v instead of 401", answer.Status, err)
	}
	if answer, body, err := get(p.url + "/"); err != nil || answer.StatusCode != 200 || !strings.Contains(strings.ToLower(body), "<!doctype html") {
		t.Errorf("the dashboard does not come through NGINX: %v %.200s", err, body)
	}
	for _, path := range []string{"/api/v1/lots/yard/stays", "/api/v1/audit/head", "/api/v1/alerts/rules"} { // each is a service of its own
		eventually(t, time.Minute, path, func() error {
			answer, err := api.Try("GET", path, nil)
			if err == nil && answer.Status >= 500 {
				err = fmt.Errorf("%d %s", answer.Status, answer.Body)
			}
			return err
		})
	}
}

// Who trusts the new certificate alone is served when NGINX was told of it, by the same container.
func renew(t *testing.T, p *project) {
	before := p.containers(t, "nginx")[0].ID
	trust := certificate(t, p.tls, p.host)
	p.typed(t, "docker compose exec -T nginx sh -c 'kill -HUP 1'")
	eventually(t, time.Minute, "the new certificate is served", func() error {
		client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}, DisableKeepAlives: true}}
		answer, err := client.Get(p.secure + "/api/v1/lots")
		if err == nil {
			answer.Body.Close()
		}
		return err
	})
	if after := p.containers(t, "nginx")[0].ID; after != before {
		t.Errorf("NGINX runs in %s, and ran in %s", after, before)
	}
}

// What somebody who got into a container finds there.
func hardened(t *testing.T, p *project) {
	for _, c := range p.containers(t) {
		h := c.HostConfig
		if !h.ReadonlyRootfs || !slices.Contains(h.CapDrop, "ALL") || !slices.ContainsFunc(h.SecurityOpt, func(o string) bool { return strings.HasPrefix(o, "no-new-privileges") }) {
			t.Errorf("%s: read-only %v, without the rights %v, %v", c.Name, h.ReadonlyRootfs, h.CapDrop, h.SecurityOpt)
		}
		if h.Memory == 0 || h.NanoCpus == 0 || h.PidsLimit == 0 || h.RestartPolicy.Name != "unless-stopped" || c.State.Health.Status != "healthy" {
			t.Errorf("%s: %d bytes, %d ns of processor a second, %d processes; restart %q; %q", c.Name, h.Memory, h.NanoCpus, h.PidsLimit, h.RestartPolicy.Name, c.State.Health.Status)
		}
	}
	for _, closed := range []string{"parking:5000", "kafka:9092", "postgres:5432", "redis:6379"} { // to NGINX, which strangers reach
		if said := p.try("exec", "-T", "nginx", "curl", "-sS", "-m", "2", "telnet://"+closed); !strings.Contains(strings.ToLower(said), "resolv") { // or resolving timed out
			t.Errorf("NGINX reaches %s: %s", closed, said)
		}
	}
	p.compose(t, "--profile", "observability", "config", "--quiet")
}

// A month of a real car park through NGINX: every client hears of every change once, and of nothing else.
func replay(t *testing.T, p *project, api stack.API) {
	file := stack.Data(t, pklot)
	listeners := map[string]*stack.Listener{
		"WebSocket":          stack.ListenWebSocket(t, p.url, stack.Query(t, "lot", "ufpr04")),
		"server-sent events": stack.ListenSSE(t, p.url, stack.Query(t, "lot", "ufpr04"), ""),
		"the stream":         stack.ListenWebSocket(t, p.l4, stack.Query(t, "lot", "ufpr04")),
	}
	again := func() {
		began := time.Now()
		stack.Run(t, 3*time.Minute, []string{"PARKWIRE_TOKEN=" + api.Token}, stack.Binary(t), "replay", "--url", p.url, "--input", file, "--lot", "ufpr04",
			"--time-zone", "America/Sao_Paulo", "--speed", "max")
		t.Logf("the replay took %v", time.Since(began).Round(time.Millisecond))
	}
	again()
	for name, listener := range listeners {
		versions, added := map[string]int64{}, 0
		for _, f := range listener.Count(t, pklotSpots+pklotChanges) {
			if f.Change == "added" {
				added++
			}
			if versions[f.SpotID]++; f.Version != versions[f.SpotID] {
				t.Fatalf("%s: version %d of %s came where %d was to come", name, f.Version, f.SpotID, versions[f.SpotID])
			}
		}
		if added != pklotSpots {
			t.Errorf("%s heard of %d new spots instead of %d", name, added, pklotSpots)
		}
	}
	again() // which changes nothing
	for _, s := range api.Spots(t, "ufpr04") {
		api.Toggle(t, s)
		break
	}
	for name, listener := range listeners {
		listener.Count(t, pklotSpots+pklotChanges+1)
		time.Sleep(100 * time.Millisecond) // partitions are not ordered among each other
		if n := len(listener.Frames()); n != pklotSpots+pklotChanges+1 {
			t.Errorf("%s got %d frames; %d added, %d changes and one more were to come", name, n, pklotSpots, pklotChanges)
		}
	}
}

// While instances of notifications come and go, and then every process of Parkwire is replaced, clients lose nothing, and get nothing twice or out of order.
func change(t *testing.T, p *project, api stack.API) {
	file := filepath.Join(t.TempDir(), "report.json")
	verify := stack.Start(t, "verify", []string{"PARKWIRE_TOKEN=" + api.Token}, stack.Binary(t), "verify", "--url", p.url, "--listen-url", p.l4, "--duration", "0",
		"--rate", "40", "--spots", "40", "--clients", "16", "--sse", "4", "--v1", "6", "--snapshot", "2", "--settle", "60s", "--json", file)
	time.Sleep(2 * time.Second) // some changes before anything happens
	listeners := make([]*stack.Listener, 6)
	for i := range listeners {
		listeners[i] = stack.ListenWebSocket(t, p.url, stack.Query(t, "lot", "yard"))
	}
	p.typed(t, "docker compose up -d --wait --no-recreate --scale notifications=5")
	eventually(t, time.Minute, "new instances get clients", func() error {
		listeners = append(listeners, stack.ListenWebSocket(t, p.url, stack.Query(t, "lot", "yard")))
		if clients := p.clients(t); len(clients) != 5 {
			return fmt.Errorf("clients by instance: %v", clients)
		}
		return nil
	})
	t.Logf("clients by instance: %v", p.clients(t))
	version := api.Toggle(t, api.Spot(t, "Y-1")).Version
	for _, listener := range listeners { // those from before are still there
		listener.Spot(t, "Y-1", version)
	}
	p.typed(t, "docker compose up -d --wait --no-recreate --scale notifications=2")
	before := p.containers(t, "parking", "notifications", "history", "audit", "alerts", "gateway")
	p.typed(t, "deploy/roll.sh")
	after := p.containers(t, "parking", "notifications", "history", "audit", "alerts", "gateway")
	for _, c := range after {
		if slices.ContainsFunc(before, func(old container) bool { return old.ID == c.ID }) || len(after) != len(before) {
			t.Errorf("%s was not replaced, or of %d containers %d are left", c.Name, len(before), len(after))
		}
	}
	time.Sleep(2 * time.Second)
	r := stack.Verdict(t, verify, file, 500)
	t.Logf("%d containers replaced: %d changes acknowledged, %d frames; %d lost, %d repeated, %d out of order; %d reconnects",
		len(after), r.Acknowledged, r.Delivered, r.Lost, r.Repeated, r.OutOfOrder, r.Reconnects)
}
