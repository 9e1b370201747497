package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	upstream = regexp.MustCompile(`(?s)upstream (\w+) \{.*?\n\}`)
	server   = regexp.MustCompile(`(?m)^( *server )\S+(.*;)$`)
	listener = regexp.MustCompile(`(?m)^listen \S+`)
)

// NGINX prepares NGINX with the configuration of deploy/nginx in front of the stack. Of that only the addresses are
// replaced, which stand in the folder site.
func NGINX(t T, s *Stack) *Node {
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
	return &Node{
		Name: "nginx", URL: "http://" + address, health: "http://" + address + "/nginx-health", binary: nginx,
		args: []string{"-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr", "-g", directives},
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
