package kubernetes

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"
)

// door is through whom clients come, and to which services. The base has none.
func (e estate) door(t *testing.T) (place, []string) {
	t.Helper()
	services := map[string]bool{}
	door := place{name: "the proxy in front"}
	for _, i := range e.ingresses {
		door.space = "ingress-nginx"
		for _, rule := range i.Spec.Rules {
			for _, p := range rule.HTTP.Paths {
				services[p.Backend.Service.Name] = true
			}
		}
	}
	for _, r := range e.routes {
		door.space = string(*r.Spec.ParentRefs[0].Namespace)
		for _, rule := range r.Spec.Rules {
			for _, b := range rule.BackendRefs {
				services[string(b.Name)] = true
			}
		}
	}
	return door, sorted(services)
}

// Both ways in serve the names that gateways know, lead notifications straight to the instances and everything else to the gateways, and let a stream that is
// silent live until its next ping.
func TestClientsComeIn(t *testing.T) {
	ways := 0
	each(t, func(t *testing.T, e estate) {
		hosts := strings.Split(e.settings(t, e.workloads["gateway"])["hosts"], ",")
		ping := duration(t, e.settings(t, e.workloads["notifications"])["live-ping-interval"])
		routes := map[string]string{}
		for _, i := range e.ingresses {
			ways++
			for _, rule := range i.Spec.Rules {
				if !slices.Contains(hosts, rule.Host) || !slices.Contains(i.Spec.TLS[0].Hosts, rule.Host) {
					t.Errorf("%s is served, hosts is %v, and the certificate for %v", rule.Host, hosts, i.Spec.TLS[0].Hosts)
				}
				for _, p := range rule.HTTP.Paths {
					routes[p.Path] = p.Backend.Service.Name
					if !slices.ContainsFunc(e.services[p.Backend.Service.Name].Spec.Ports, func(s core.ServicePort) bool { return s.Name == p.Backend.Service.Port.Name }) {
						t.Errorf("%s leads to %s, which has no port %q", p.Path, p.Backend.Service.Name, p.Backend.Service.Port.Name)
					}
				}
			}
			for _, name := range []string{"proxy-read-timeout", "proxy-send-timeout"} {
				seconds, err := strconv.Atoi(i.Annotations["nginx.ingress.kubernetes.io/"+name])
				if err != nil || time.Duration(seconds)*time.Second < 3*ping {
					t.Errorf("%s is %d s, and a client is pinged every %v", name, seconds, ping)
				}
			}
		}
		for _, r := range e.routes {
			ways++
			for _, host := range r.Spec.Hostnames {
				if !slices.Contains(hosts, string(host)) {
					t.Errorf("%s is served, and hosts is %v", host, hosts)
				}
			}
			for _, rule := range r.Spec.Rules {
				at, to := *rule.Matches[0].Path.Value, rule.BackendRefs[0]
				routes[at] = string(to.Name)
				if stream := at != "/"; rule.Timeouts == nil || rule.Timeouts.Request == nil || (*rule.Timeouts.Request == gateway.Duration("0s")) != stream {
					t.Errorf("%s: %+v", at, rule.Timeouts)
				}
				if to.Port == nil || !slices.ContainsFunc(e.services[string(to.Name)].Spec.Ports, func(s core.ServicePort) bool { return s.Port == int32(*to.Port) }) {
					t.Errorf("%s leads to %s, which has no such port", at, to.Name)
				}
			}
		}
		if len(routes) > 0 && (routes["/notifications"] != "notifications" || routes["/"] != "gateway") {
			t.Errorf("the paths lead to %v", routes)
		}
		for _, service := range routes {
			if s := e.services[service]; s.Spec.ClusterIP == core.ClusterIPNone || s.Spec.PublishNotReadyAddresses {
				t.Errorf("%s sends clients to pods that are not ready", service)
			}
		}
	})
	if ways < 2 {
		t.Errorf("%d overlays have a way in", ways)
	}
}

func TestNotificationProcessesFollowTheirClients(t *testing.T) {
	adapter := struct {
		Rules struct {
			Default bool
			Custom  []struct{ SeriesQuery, MetricsQuery string }
		}
	}{}
	if err := yaml.Unmarshal(read(t, folder+"/components/autoscaling/prometheus-adapter.yaml"), &adapter); err != nil || len(adapter.Rules.Custom) != 1 {
		t.Fatalf("%+v, %v", adapter, err)
	}
	scalers := 0
	each(t, func(t *testing.T, e estate) {
		for _, s := range e.scalers {
			scalers++
			w, ok := e.workloads[s.Spec.ScaleTargetRef.Name]
			if !ok || w.kind != s.Spec.ScaleTargetRef.Kind || w.part != "notifications" {
				t.Fatalf("it scales %+v", s.Spec.ScaleTargetRef)
			}
			i := slices.IndexFunc(s.Spec.Metrics, func(m autoscaling.MetricSpec) bool { return m.Type == autoscaling.PodsMetricSourceType })
			if i < 0 {
				t.Fatal("it asks for no metric of the pods")
			}
			m := s.Spec.Metrics[i].Pods
			if !strings.Contains(string(read(t, root+"/docs/observability.md")), "`"+m.Metric.Name+"`") {
				t.Errorf("docs/observability.md has no metric %s", m.Metric.Name)
			}
			if q := adapter.Rules.Custom[0]; !strings.HasPrefix(q.SeriesQuery, m.Metric.Name+"{") || !strings.HasPrefix(q.MetricsQuery, "sum(") {
				t.Errorf("the adapter offers %+v, and it asks for %s", q, m.Metric.Name)
			}
			limit, err := strconv.ParseInt(e.settings(t, w)["live-max-clients"], 10, 64)
			least := int64(*s.Spec.MinReplicas)
			if planned := m.Target.AverageValue.Value(); err != nil || least < 2 || planned*least/(least-1) > limit {
				t.Errorf("%d processes have %d clients each; one that ends leaves the others more than the %d that they take", least, planned, limit)
			}
			if down := s.Spec.Behavior.ScaleDown; *down.StabilizationWindowSeconds < 600 || len(down.Policies) != 1 || down.Policies[0].Value != 1 {
				t.Errorf("clients are sent away as soon as others leave: %+v", down)
			}
		}
	})
	if scalers == 0 {
		t.Error("no overlay scales")
	}
}

func TestTheDocumentSaysWhatIsThere(t *testing.T) {
	document := string(read(t, root+"/docs/kubernetes.md"))
	for _, found := range regexp.MustCompile(`-k (deploy/kubernetes/\S+)`).FindAllStringSubmatch(document, -1) {
		render(t, filepath.Join(root, found[1]))
	}
	components, err := filepath.Glob(folder + "/components/*")
	if err != nil || len(components) == 0 {
		t.Fatal(components, err)
	}
	for _, dir := range components {
		if !strings.Contains(document, "`"+filepath.Base(dir)+"`") {
			t.Errorf("it does not say what components/%s is for", filepath.Base(dir))
		}
	}
	made := map[string]bool{}
	for _, found := range regexp.MustCompile(`--from-file=([a-z.-]+)=`).FindAllStringSubmatch(document, -1) {
		made[found[1]] = true
	}
	wanted := map[string]bool{}
	each(t, func(_ *testing.T, e estate) {
		for _, w := range e.workloads {
			for _, v := range w.pods.Spec.Volumes {
				for _, item := range v.Secret.Items {
					wanted[item.Key] = true
				}
			}
		}
	})
	if !slices.Equal(sorted(made), sorted(wanted)) {
		t.Errorf("the secret is made with %v, and pods need %v", sorted(made), sorted(wanted))
	}
}

// The adapter finds the pod of a series by its labels, and Prometheus the address for operators by the name of its port.
func TestPrometheusFindsThePods(t *testing.T) {
	found := regexp.MustCompile("(?ms)^```yaml\n(scrape_configs:.*?)^```$").FindSubmatch(read(t, root+"/docs/kubernetes.md"))
	if found == nil {
		t.Fatal("docs/kubernetes.md has no scrape_configs")
	}
	var prometheus struct {
		Scrape []struct {
			Job     string `json:"job_name"`
			Relabel []struct {
				Source []string `json:"source_labels"`
				Regex  string   `json:"regex"`
				Action string   `json:"action"`
				Target string   `json:"target_label"`
			} `json:"relabel_configs"`
		} `json:"scrape_configs"`
	}
	if err := yaml.Unmarshal(found[1], &prometheus); err != nil || len(prometheus.Scrape) != 1 || prometheus.Scrape[0].Job != "parkwire" {
		t.Fatalf("%+v, %v", prometheus, err)
	}
	kept, labels := "", map[string]string{}
	for _, r := range prometheus.Scrape[0].Relabel {
		if r.Action == "keep" && r.Source[0] == "__meta_kubernetes_pod_container_port_name" {
			kept = r.Regex
		}
		labels[r.Target] = strings.Join(r.Source, " ")
	}
	if labels["namespace"] != "__meta_kubernetes_namespace" || labels["pod"] != "__meta_kubernetes_pod_name" {
		t.Errorf("the labels are %v", labels)
	}
	eachWorkload(t, func(t *testing.T, e estate, w workload) {
		if !slices.ContainsFunc(w.container().Ports, func(p core.ContainerPort) bool {
			return p.Name == kept && ":"+strconv.Itoa(int(p.ContainerPort)) == e.settings(t, w)["admin-listen"]
		}) {
			t.Errorf("no port of it is called %q, or it is not that of admin-listen", kept)
		}
	})
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
