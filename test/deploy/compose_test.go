package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// envImage names the image to test. A Docker engine must run where it is set, with the images that compose.yaml
// needs (or those named by PARKWIRE_KAFKA_IMAGE and so on): see test/kit/docker.sh.
const envImage = "PARKWIRE_TEST_IMAGE"

func image(t *testing.T) string {
	t.Helper()
	name := os.Getenv(envImage)
	if name == "" {
		if os.Getenv(stack.EnvDistributed) == "1" && os.Getenv("CI") != "" {
			t.Fatalf("%s is not set", envImage)
		}
		t.Skipf("skipped: %s names no image", envImage)
	}
	return name
}

func TestTheImageIsSmallAndNotRoot(t *testing.T) {
	name := image(t)
	var images []struct {
		Size   int64
		Config struct {
			User        string
			Env         []string
			Healthcheck struct{ Test []string }
		}
		RootFS struct{ Layers []string }
	}
	if err := json.Unmarshal([]byte(stack.Run(t, time.Minute, nil, need(t, "docker"), "image", "inspect", name)), &images); err != nil {
		t.Fatal(err)
	}
	i := images[0]
	if !regexp.MustCompile(`^[1-9]\d*(:[1-9]\d*)?$`).MatchString(i.Config.User) {
		t.Errorf("the image runs as %q; the number of a user that is not root was promised", i.Config.User)
	}
	if strings.Join(i.Config.Healthcheck.Test, " ") != "CMD /parkwire health" {
		t.Errorf("the health check is %q", i.Config.Healthcheck.Test)
	}
	if i.Size > 60<<20 {
		t.Errorf("the image has %d MiB; the binary and little else was promised", i.Size>>20)
	}
	version := strings.TrimSpace(stack.Run(t, time.Minute, nil, need(t, "docker"), "run", "--rm", "--network", "none", "--read-only", name, "version"))
	if version == "" {
		t.Error("the image does not say its version")
	}
	t.Logf("%s: %.1f MiB, user %s, %s", name, float64(i.Size)/(1<<20), i.Config.User, version)
}

// project is a running compose project on the host's network, with ports of its own.
type project struct {
	docker string
	files  []string
	env    []string
	port   int // of NGINX
}

// listed are the variables of compose.host.yaml that name ports, with their defaults, which stand in site-host too.
var listed = regexp.MustCompile(`\$\{([A-Z0-9_]+_PORT):-(\d+)\}`)

func prepare(t *testing.T, image string) *project {
	t.Helper()
	deploy := filepath.Join(stack.Root(), "deploy")
	p := &project{docker: need(t, "docker"), port: stack.Port(t)}
	name := fmt.Sprintf("parkwire-test-%d", os.Getpid())
	p.files = []string{"compose", "-p", name, "-f", filepath.Join(deploy, "compose.yaml"), "-f", filepath.Join(deploy, "compose.host.yaml")}

	override, err := os.ReadFile(filepath.Join(deploy, "compose.host.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ports := map[string]int{"8080": p.port} // by default
	env := map[string]int{"PARKWIRE_PORT": p.port}
	for _, m := range listed.FindAllStringSubmatch(string(override), -1) {
		if _, known := env[m[1]]; !known {
			ports[m[2]] = stack.Port(t)
			env[m[1]] = ports[m[2]]
		}
	}
	site := filepath.Join(t.TempDir(), "site")
	if err := os.CopyFS(site, os.DirFS(filepath.Join(deploy, "nginx", "site-host"))); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"http.conf", "listen.conf"} {
		edit(t, func(text string) string {
			return regexp.MustCompile(`127\.0\.0\.1:(\d+)`).ReplaceAllStringFunc(text, func(address string) string {
				port, known := ports[strings.TrimPrefix(address, "127.0.0.1:")]
				if !known {
					t.Errorf("%s of site-host is no default of compose.host.yaml", address)
				}
				return stack.Address(port)
			})
		}, site, file)
	}
	secrets := filepath.Join(t.TempDir(), "secrets")
	stack.Run(t, time.Minute, nil, filepath.Join(deploy, "secrets.sh"), secrets)

	for variable, port := range env {
		p.env = append(p.env, fmt.Sprintf("%s=%d", variable, port))
	}
	p.env = append(p.env, "PARKWIRE_IMAGE="+image, "PARKWIRE_SECRETS="+secrets, "PARKWIRE_NGINX_SITE="+site)
	for _, server := range []string{"KAFKA", "REDIS", "POSTGRES", "NGINX"} { // stack.Run takes PARKWIRE_… away
		if v := os.Getenv("PARKWIRE_" + server + "_IMAGE"); v != "" {
			p.env = append(p.env, "PARKWIRE_"+server+"_IMAGE="+v)
		}
	}
	return p
}

// run runs a command of compose and returns its standard output.
func (p *project) run(t *testing.T, args ...string) string {
	t.Helper()
	return stack.Run(t, 5*time.Minute, p.env, p.docker, append(p.files[:len(p.files):len(p.files)], args...)...)
}

// try is run for what may fail, and shows everything that was said.
func (p *project) try(args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.docker, append(p.files[:len(p.files):len(p.files)], args...)...)
	cmd.Env = append(stack.Environ(), p.env...)
	out, _ := cmd.CombinedOutput()
	return string(out)
}

func TestComposeComesUpInOrderAndAnswersThroughNGINX(t *testing.T) {
	p := prepare(t, image(t))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s\n%s", p.try("ps", "-a"), p.try("logs", "--no-color", "--tail", "25"))
		}
		p.try("down", "--volumes", "--timeout", "10")
	})
	began := time.Now()
	p.run(t, "up", "--detach", "--no-build", "--wait", "--wait-timeout", "180")
	t.Logf("14 containers were healthy after %v", time.Since(began).Round(100*time.Millisecond))

	api := stack.API{
		URL:   "http://" + stack.Address(p.port),
		Token: strings.TrimSpace(p.run(t, "run", "--rm", "--no-deps", "-T", "gateway-1", "token", "--scope", "operate")),
	}
	ws := stack.ListenWebSocket(t, api.URL, stack.Query(t, "lot", "yard"))
	sse := stack.ListenSSE(t, api.URL, stack.Query(t, "lot", "yard"), "")
	api.AddLot(t, "yard", "Y-1", "Y-2")
	api.Act(t, "Y-1", "occupy")
	for name, client := range map[string]*stack.Listener{"WebSocket": ws, "server-sent events": sse} {
		frames := client.Spot(t, "Y-1", 2)
		if last := frames[len(frames)-1]; last.Status != "occupied" {
			t.Errorf("by %s the spot is %q after it was occupied", name, last.Status)
		}
	}
	if answer, err := (stack.API{URL: api.URL}).Try("POST", "/api/v1/spots/Y-1/release", nil); err != nil || answer.Status != 401 {
		t.Errorf("a write without a token: %d %v instead of 401", answer.Status, err)
	}
	if answer, body, err := get(api.URL + "/"); err != nil || answer.StatusCode != 200 || !strings.Contains(strings.ToLower(body), "<!doctype html") {
		t.Errorf("the dashboard does not come through NGINX: %v %.200s", err, body)
	}

	// One of each part may go, and whoever comes afterwards notices nothing.
	p.run(t, "stop", "--timeout", "20", "gateway-1", "parking-1", "notifications-1")
	late := stack.ListenWebSocket(t, api.URL, stack.Query(t, "lot", "yard"))
	api.Act(t, "Y-1", "release")
	late.Spot(t, "Y-1", 3)
}
