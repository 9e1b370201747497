package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// The configurations in deploy/nginx.
const (
	NGINXHTTP = "nginx.conf"    // an HTTP proxy
	NGINXL4   = "nginx-l4.conf" // the same, and a port of its own for notifications that is forwarded as a stream
)

var (
	upstream = regexp.MustCompile(`(?s)upstream (\w+) \{.*?\n\}`)
	server   = regexp.MustCompile(`(?m)^( *server )\S+(.*;)$`)
	listener = regexp.MustCompile(`(?m)^listen \S+`)
)

// NGINX prepares NGINX as an HTTP proxy in front of the stack.
func NGINX(t T, s *Stack) *Node {
	t.Helper()
	return NGINXFor(t, NGINXHTTP, s.Upstreams())
}

// Upstreams are the addresses behind NGINX, by the names that they have in its configuration.
func (s *Stack) Upstreams() map[string][]string {
	behind := map[string][]string{}
	for _, n := range s.Gateways {
		behind["parkwire_gateway"] = append(behind["parkwire_gateway"], strings.TrimPrefix(n.URL, "http://"))
	}
	for _, n := range s.Live {
		behind["parkwire_live"] = append(behind["parkwire_live"], strings.TrimPrefix(n.URL, "http://"))
		behind["parkwire_live_l4"] = append(behind["parkwire_live_l4"], n.Proxied)
	}
	return behind
}

// NGINXFor prepares NGINX with one of the configurations of deploy/nginx. Of that only the addresses are replaced, which stand in the folder
// site-host; an upstream that is not named has nobody behind it.
func NGINXFor(t T, main string, behind map[string][]string) *Node {
	t.Helper()
	nginx := program(t, "nginx")
	dir := filepath.Join(t.TempDir(), "nginx")
	err := os.CopyFS(dir, os.DirFS(filepath.Join(Root(), "deploy", "nginx")))
	if err == nil {
		err = os.RemoveAll(filepath.Join(dir, "site")) // which is that of compose
	}
	if err == nil {
		err = os.Rename(filepath.Join(dir, "site-host"), filepath.Join(dir, "site"))
	}
	if err != nil {
		t.Fatalf("copying NGINX's configuration: %v", err)
	}
	http, l4 := Address(Port(t)), Address(Port(t))
	for file, address := range map[string]string{"listen.conf": http, "listen-l4.conf": l4} {
		rewrite(t, filepath.Join(dir, "site", file), func(text string) string {
			return listener.ReplaceAllString(text, "listen "+address)
		})
	}
	for _, file := range []string{"http.conf", "stream.conf"} {
		rewrite(t, filepath.Join(dir, "site", file), func(text string) string {
			return upstream.ReplaceAllStringFunc(text, func(block string) string {
				return fill(block, behind[upstream.FindStringSubmatch(block)[1]])
			})
		})
	}
	rewrite(t, filepath.Join(dir, "site", "http.conf"), func(text string) string {
		for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			text = fmt.Sprintf("%s_temp_path %s;\n", name, filepath.Join(dir, name)) + text
		}
		return text
	})
	directives := fmt.Sprintf("daemon off; pid %s;", filepath.Join(dir, "nginx.pid"))
	if os.Getuid() == 0 {
		directives += " user root;" // the folders of a test are its own user's
	}
	n := &Node{
		Name: "nginx", URL: "http://" + http, health: "http://" + http + "/nginx-health", binary: nginx,
		args: []string{"-c", filepath.Join(dir, main), "-e", "stderr", "-g", directives},
	}
	if main == NGINXL4 {
		n.L4 = "http://" + l4
	}
	return n
}

// fill replaces the servers of an upstream.
func fill(block string, addresses []string) string {
	if len(addresses) == 0 {
		addresses = []string{"127.0.0.1:1"}
	}
	first := server.FindStringSubmatch(block)
	var lines []string
	for _, address := range addresses {
		lines = append(lines, first[1]+address+first[2])
	}
	begin := strings.Index(block, first[0])
	end := strings.LastIndex(block, first[2]) + len(first[2])
	return block[:begin] + strings.Join(lines, "\n") + block[end:]
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
