package observability

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// program finds a program of the package prometheus. It skips the test where there is none, or fails it where the environment says that everything is there.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv(stack.EnvDistributed) == "1":
		t.Fatalf("%s is not installed (apt-get install prometheus), although %s=1 promises it", name, stack.EnvDistributed)
	default:
		t.Skipf("skipped: %s is not installed (apt-get install prometheus)", name)
	}
	return path
}

// prometheus is a running Prometheus that scrapes the processes of a stack every second.
type prometheus struct{ url string }

func scrape(t *testing.T, nodes []*stack.Node) prometheus {
	t.Helper()
	binary, dir, address := program(t, "prometheus"), t.TempDir(), stack.Address(stack.Port(t))
	var targets strings.Builder
	for _, n := range nodes {
		u, err := url.Parse(n.MetricsURL())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&targets, "      - {targets: [%q], labels: {instance: %q}}\n", u.Host, n.Name)
	}
	config := filepath.Join(dir, "prometheus.yaml")
	text := fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [%q]\nscrape_configs:\n  - job_name: parkwire\n    static_configs:\n%s",
		filepath.Join(folder(), "rules.yaml"), targets.String())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := stack.Start(t, "prometheus", nil, binary, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--log.level=warn")
	s := prometheus{"http://" + address}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		answer, err := http.Get(s.url + "/-/ready")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return s
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("Prometheus is not ready: %s", p.Output())
		}
	}
}

// series is what one line of a panel shows.
type series struct {
	labels map[string]string
	times  []float64 // seconds since 1970
	values []float64
}

// ask evaluates a query over a time.
func (p prometheus) ask(query string, from, to time.Time, step time.Duration) ([]series, error) {
	seconds := func(at time.Time) string { return strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64) }
	answer, err := http.PostForm(p.url+"/api/v1/query_range", url.Values{
		"query": {query}, "start": {seconds(from)}, "end": {seconds(to)}, "step": {strconv.FormatFloat(step.Seconds(), 'f', 3, 64)},
	})
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	var said struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return nil, fmt.Errorf("%w in %s", err, body)
	}
	if said.Status != "success" {
		return nil, fmt.Errorf("Prometheus answers %s", said.Error)
	}
	var all []series
	for _, r := range said.Data.Result {
		one := series{labels: r.Metric}
		for _, v := range r.Values {
			value, err := strconv.ParseFloat(v[1].(string), 64)
			if err != nil {
				return nil, err
			}
			if math.IsNaN(value) || math.IsInf(value, 0) {
				continue // nothing was observed in the window
			}
			one.times, one.values = append(one.times, v[0].(float64)), append(one.values, value)
		}
		if len(one.values) > 0 {
			all = append(all, one)
		}
	}
	return all, nil
}
