package stack

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

var (
	upstream = regexp.MustCompile(`(?s)upstream (\w+) \{.*?\n\}`)
	server   = regexp.MustCompile(`(?m)^( *server )\S+(.*;)$`)
	listener = regexp.MustCompile(`(?m)^listen \S+`)
)

// startNGINX starts NGINX with the configuration of deploy/nginx in front of the stack, and returns where it
// listens. Of that only the addresses are replaced, which stand in the folder site.
func startNGINX(t T, s *Stack) string {
	t.Helper()
	nginx := program(t, "nginx")
	dir := filepath.Join(t.TempDir(), "nginx")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(Root(), "deploy", "nginx"))); err != nil {
		t.Fatalf("copying NGINX's configuration: %v", err)
	}
	address := Address(Port(t))
	rewrite(t, filepath.Join(dir, "site", "listen.conf"), func(text string) string {
		return listener.ReplaceAllString(text, "listen "+address)
	})
	behind := map[string][]*Node{"parkwire_gateway": s.Gateways, "parkwire_live": s.Live}
	rewrite(t, filepath.Join(dir, "site", "http.conf"), func(text string) string {
		for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			text = fmt.Sprintf("%s_temp_path %s;\n", name, filepath.Join(dir, name)) + text
		}
		return upstream.ReplaceAllStringFunc(text, func(block string) string {
			nodes, known := behind[upstream.FindStringSubmatch(block)[1]]
			if !known {
				t.Fatalf("deploy/nginx has an upstream that is not known here: %s", block)
			}
			first := server.FindStringSubmatch(block)
			var lines []string
			for _, n := range nodes {
				lines = append(lines, first[1]+strings.TrimPrefix(n.URL, "http://")+first[2])
			}
			begin := strings.Index(block, first[0])
			end := strings.LastIndex(block, first[2]) + len(first[2])
			return block[:begin] + strings.Join(lines, "\n") + block[end:]
		})
	})
	directives := fmt.Sprintf("daemon off; pid %s;", filepath.Join(dir, "nginx.pid"))
	if os.Getuid() == 0 {
		directives += " user root;" // the folders of a test are its own user's
	}
	p := Start(t, "nginx", nil, nginx, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr", "-g", directives)
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		answer, err := http.Get("http://" + address + "/nginx-health")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == 200 {
				return "http://" + address
			}
		}
		select {
		case <-p.Exited():
			t.Fatalf("nginx ended:\n%s", p.Output())
		default:
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("nginx does not answer: %v\n%s", err, p.Output())
		}
	}
}

func rewrite(t T, path string, change func(string) string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(change(string(text))), 0o644)
	}
	if err != nil {
		t.Fatalf("configuring NGINX: %v", err)
	}
}
