package kubernetes

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// eachWorkload runs a test for each part of each estate.
func eachWorkload(t *testing.T, check func(t *testing.T, e estate, w workload)) {
	t.Helper()
	each(t, func(t *testing.T, e estate) {
		for _, name := range sorted(e.workloads) {
			t.Run(name, func(t *testing.T) { check(t, e, e.workloads[name]) })
		}
	})
}

func is[T comparable](p *T, want T) bool { return p != nil && *p == want }

func TestAPodMayDoNothingThatItNeedNot(t *testing.T) {
	eachWorkload(t, func(t *testing.T, _ estate, w workload) {
		pod := w.pods.Spec
		if s := pod.SecurityContext; s == nil || !is(s.RunAsNonRoot, true) || !is(s.RunAsUser, 65532) || !is(s.RunAsGroup, 65532) || !is(s.FSGroup, 65532) || s.SeccompProfile == nil || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
			t.Errorf("the pod: %+v", s)
		}
		if !is(pod.AutomountServiceAccountToken, false) || !is(pod.EnableServiceLinks, false) || pod.HostNetwork || pod.HostPID || pod.HostIPC {
			t.Error("it gets a token of the cluster, variables of services, or the node's own network or processes")
		}
		if len(pod.InitContainers) > 0 || len(pod.Containers) != 1 {
			t.Fatalf("it has %d containers", len(pod.Containers))
		}
		c := w.container()
		if s := c.SecurityContext; s == nil || !is(s.AllowPrivilegeEscalation, false) || !is(s.ReadOnlyRootFilesystem, true) || s.Privileged != nil || s.Capabilities == nil ||
			!slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
			t.Errorf("the container: %+v", s)
		}
		for _, m := range c.VolumeMounts {
			if !m.ReadOnly {
				t.Errorf("it may write in %s", m.MountPath)
			}
		}
	})
}

func TestOverlaysNameAVersionOfTheImage(t *testing.T) {
	eachWorkload(t, func(t *testing.T, _ estate, w workload) {
		name, version, _ := strings.Cut(path.Base(w.container().Image), ":")
		if name != "parkwire" || version == "latest" || version == "" && !strings.HasPrefix(t.Name(), t.Name()[:strings.Index(t.Name(), "/")]+"/base") {
			t.Errorf("the image is %q", w.container().Image)
		}
	})
}

// used are the settings that concern a part and name a file of a secret. Others in the same ConfigMap name files that are not there, and nobody reads them.
var used = map[string][]string{
	"gateway":       {"jwt-key-file", "redis-password-file", "redis-tls-ca-file"},
	"parking":       {"kafka-password-file", "kafka-tls-ca-file", "database-password-file", "mqtt-password-file"},
	"notifications": {"jwt-key-file", "kafka-password-file", "kafka-tls-ca-file", "redis-password-file", "redis-tls-ca-file"},
	"history":       {"kafka-password-file", "kafka-tls-ca-file", "database-password-file"},
	"audit":         {"kafka-password-file", "kafka-tls-ca-file", "database-password-file", "audit-key-file"},
	"alerts":        {"kafka-password-file", "kafka-tls-ca-file", "database-password-file", "alerts-vapid-key-file"},
}

func TestEachPartHasTheSecretsThatItReadsAndNoOthers(t *testing.T) {
	eachWorkload(t, func(t *testing.T, e estate, w workload) {
		want := map[string]bool{}
		settings := e.settings(t, w)
		for _, name := range used[w.part] {
			if file := settings[name]; file != "" {
				want[file] = true
			}
		}
		got := map[string]bool{}
		for _, m := range w.container().VolumeMounts {
			i := slices.IndexFunc(w.pods.Spec.Volumes, func(v core.Volume) bool { return v.Name == m.Name })
			if i < 0 || w.pods.Spec.Volumes[i].Secret == nil || m.SubPath != "" { // by sub-path it would not follow the secret
				t.Fatalf("%s is not a whole secret", m.Name)
			}
			s := w.pods.Spec.Volumes[i].Secret
			if !is(s.DefaultMode, 0o440) || s.SecretName != "parkwire" {
				t.Errorf("the secret %s has the mode %o", s.SecretName, *s.DefaultMode)
			}
			for _, item := range s.Items {
				got[path.Join(m.MountPath, item.Path)] = true
			}
		}
		if !slices.Equal(sorted(got), sorted(want)) {
			t.Errorf("it has\n%v, and reads\n%v", sorted(got), sorted(want))
		}
	})
}

// With the variables and the files of its pod, and nothing else, each part starts, and waits for its servers.
func TestEachPartStartsWithWhatItsPodHas(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secrets")
	if out, err := exec.Command(root+"/deploy/secrets.sh", secret).CombinedOutput(); err != nil {
		t.Fatalf("secrets.sh: %v: %s", err, out)
	}
	for _, password := range []string{"kafka", "redis", "database", "mqtt"} {
		write(t, filepath.Join(secret, password), []byte("a password"))
	}
	write(t, filepath.Join(secret, "ca.crt"), authority(t))
	eachWorkload(t, func(t *testing.T, e estate, w workload) {
		dir, admin := t.TempDir(), address(t)
		mounted := func(text string) string { return text }
		for _, m := range w.container().VolumeMounts {
			i := slices.IndexFunc(w.pods.Spec.Volumes, func(v core.Volume) bool { return v.Name == m.Name })
			for _, item := range w.pods.Spec.Volumes[i].Secret.Items {
				write(t, filepath.Join(dir, item.Path), read(t, filepath.Join(secret, item.Key)))
			}
			mounted = strings.NewReplacer(m.MountPath, dir).Replace
		}
		process := exec.Command(binary, append(slices.Clone(w.container().Args), "--listen", "127.0.0.1:0", "--admin-listen", admin)...)
		process.Env = []string{}
		for name, value := range e.environment(t, w) {
			process.Env = append(process.Env, name+"="+mounted(value))
		}
		var said strings.Builder
		process.Stderr = &said
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { defer close(ended); process.Wait() }()
		defer func() { process.Process.Kill(); <-ended }()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			answer, err := http.Get("http://" + admin + "/livez")
			if err == nil {
				answer.Body.Close()
				if answer.StatusCode == http.StatusOK {
					return
				}
			}
			select {
			case <-ended:
				t.Fatalf("it ended: %s", said.String())
			default:
			}
			if time.Now().After(deadline) {
				t.Fatalf("it does not answer: %v", err)
			}
		}
	})
}

// authority is the certificate of one, which nobody has to trust.
func authority(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// address is one of this machine that is free.
func address(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Passwords are nowhere in what is applied: in no variable, and in no URL of a setting.
func TestNoSettingHoldsASecret(t *testing.T) {
	eachWorkload(t, func(t *testing.T, e estate, w workload) {
		settings := e.settings(t, w)
		for name, value := range e.environment(t, w) {
			if !strings.HasPrefix(name, "PARKWIRE_") {
				continue // of Go
			}
			setting := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "PARKWIRE_")), "_", "-")
			if settings[setting] != value && !slices.Contains([]string{"true", "false"}, value) && !sameDuration(settings[setting], value) { // what is secret is masked
				t.Errorf("%s is told as %q, and was %q", setting, settings[setting], value)
			}
		}
	})
}

func sameDuration(a, b string) bool {
	x, err := time.ParseDuration(a)
	y, failed := time.ParseDuration(b)
	return err == nil && failed == nil && x == y
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestClientsAreSentAwayBeforeAPodIsKilled(t *testing.T) {
	eachWorkload(t, func(t *testing.T, e estate, w workload) {
		s := e.settings(t, w)
		delay := duration(t, s["drain-delay"])
		ends := delay + duration(t, s["drain-window"]) + duration(t, s["stop-timeout"])
		if grace := time.Duration(*w.pods.Spec.TerminationGracePeriodSeconds) * time.Second; grace <= ends {
			t.Errorf("it is killed after %v, and may need %v", grace, ends)
		}
		if delay < 2*time.Second {
			t.Errorf("drain-delay is %v: proxies would still send clients to who is gone", delay)
		}
	})
}

func TestProbesAskTheAddressForOperators(t *testing.T) {
	eachWorkload(t, func(t *testing.T, e estate, w workload) {
		c := w.container()
		ports := map[string]int32{}
		for _, p := range c.Ports {
			ports[p.Name] = p.ContainerPort
		}
		s := e.settings(t, w)
		for name, setting := range map[string]string{"http": "listen", "admin": "admin-listen"} {
			if s[setting] != ":"+strconv.Itoa(int(ports[name])) {
				t.Errorf("%s is %s, and the port %s is %d", setting, s[setting], name, ports[name])
			}
		}
		for want, probe := range map[string]*core.Probe{"/readyz": c.ReadinessProbe, "/livez": c.LivenessProbe} {
			if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Path != want || probe.HTTPGet.Port != intstr.FromString("admin") {
				t.Errorf("%s: %+v", want, probe)
			}
		}
		if live := c.LivenessProbe; live.PeriodSeconds*live.FailureThreshold < 30 {
			t.Error("who is slow for half a minute is killed, with all its clients")
		}
		if c.StartupProbe != nil {
			t.Error("who waits for a server is alive: no startup probe may end it")
		}
	})
}

func TestMemoryIsBoundedAndHoldsTheClients(t *testing.T) {
	eachWorkload(t, func(t *testing.T, e estate, w workload) {
		r := w.container().Resources
		for what, q := range map[string]resource.Quantity{"request of the processor": r.Requests[core.ResourceCPU], "request of memory": r.Requests[core.ResourceMemory], "limit of memory": r.Limits[core.ResourceMemory]} {
			if q.IsZero() {
				t.Errorf("it has no %s", what)
			}
		}
		if _, bounded := r.Limits[core.ResourceCPU]; bounded {
			t.Error("its processor is bounded: a change would wait for the next tenth of a second")
		}
		// The rest is what the kernel keeps for connections, and what Go does not count.
		limit, heap := r.Limits.Memory().Value(), resource.MustParse(strings.TrimSuffix(e.environment(t, w)["GOMEMLIMIT"], "B"))
		if heap.Value() < limit*6/10 || heap.Value() > limit*9/10 {
			t.Errorf("Go's collector keeps to %d MiB of %d MiB", heap.Value()>>20, limit>>20)
		}
		if w.part != "notifications" {
			return
		}
		clients, err := strconv.Atoi(e.settings(t, w)["live-max-clients"])
		if err != nil {
			t.Fatal(err)
		}
		// docs/scaling.md: 0.5 KB in the process and 4.5 KB in the kernel for each client, live-memory twice as Go's collector lets it grow, and the process.
		needs := int64(clients)*5_000 + 2*(64<<20) + 32<<20
		if limit < max(needs, heap.Value()+int64(clients)*4_500) {
			t.Errorf("%d clients need %d MiB, and the limit is %d MiB", clients, needs>>20, limit>>20)
		}
	})
}

func TestPodsOfAPartAreSpread(t *testing.T) {
	eachWorkload(t, func(t *testing.T, _ estate, w workload) {
		var over []string
		for _, c := range w.pods.Spec.TopologySpreadConstraints {
			over = append(over, c.TopologyKey)
			if !selects(t, c.LabelSelector, w.pods.Labels) || !slices.Contains(c.MatchLabelKeys, "app.kubernetes.io/component") {
				t.Errorf("by %s other pods are spread than its own: %+v", c.TopologyKey, c)
			}
			for _, key := range c.MatchLabelKeys {
				if _, both := c.LabelSelector.MatchLabels[key]; both {
					t.Errorf("%s is in the selector and in matchLabelKeys, which Kubernetes refuses", key)
				}
			}
		}
		if !slices.Equal(over, []string{"topology.kubernetes.io/zone", "kubernetes.io/hostname"}) {
			t.Errorf("they are spread over %v", over)
		}
	})
}

func TestSelectorsMeanTheirPartAlone(t *testing.T) {
	each(t, func(t *testing.T, e estate) {
		for _, name := range sorted(e.workloads) {
			w := e.workloads[name]
			for _, other := range sorted(e.workloads) {
				if o := e.workloads[other]; selects(t, w.selector, o.pods.Labels) != (o.name == w.name) {
					t.Errorf("%s and the pods of %s", w.name, o.name)
				}
			}
		}
	})
}

// Every part has a budget that lets one pod be taken and no two, so that nodes can be emptied and somebody stays, where there are two.
func TestNodesAreEmptiedOnePodOfAPartAtATime(t *testing.T) {
	eachWorkload(t, func(t *testing.T, e estate, w workload) {
		var its []policy.PodDisruptionBudget
		for _, b := range e.budgets {
			if selects(t, b.Spec.Selector, w.pods.Labels) {
				its = append(its, b)
			}
		}
		if len(its) != 1 {
			t.Fatalf("it has %d budgets; with more than one Kubernetes refuses to evict", len(its))
		}
		b := its[0].Spec
		if b.MaxUnavailable == nil || *b.MaxUnavailable != intstr.FromInt32(1) || b.MinAvailable != nil || b.UnhealthyPodEvictionPolicy == nil || *b.UnhealthyPodEvictionPolicy != policy.AlwaysAllow {
			t.Errorf("its budget is %+v", b)
		}
		if clients := slices.Contains([]string{"gateway", "parking", "notifications"}, w.part); clients && w.replicas < 2 {
			t.Errorf("there are %d of what clients feel", w.replicas)
		}
		if w.kind == "Deployment" && !w.surge {
			t.Error("in an update an old pod goes before a new one is there")
		}
	})
}

func TestServicesLeadToPorts(t *testing.T) {
	each(t, func(t *testing.T, e estate) {
		for _, name := range sorted(e.services) {
			s := e.services[name]
			led := e.behind(t, name)
			if len(led) != 1 {
				t.Errorf("%s leads to %v", name, led)
				continue
			}
			for _, p := range s.Spec.Ports {
				if !slices.ContainsFunc(e.workloads[led[0]].container().Ports, func(c core.ContainerPort) bool {
					return c.Name == p.TargetPort.StrVal && c.ContainerPort == p.Port
				}) {
					t.Errorf("%s: no port of %s is %+v", name, led[0], p)
				}
			}
		}
	})
}

// behind are the workloads to which a service leads.
func (e estate) behind(t *testing.T, service string) (names []string) {
	t.Helper()
	s, ok := e.services[service]
	if !ok || len(s.Spec.Selector) == 0 {
		t.Fatalf("there is no service %q with a selector", service)
	}
	for _, name := range sorted(e.workloads) {
		if labels := e.workloads[name].pods.Labels; !slices.ContainsFunc(sorted(s.Spec.Selector), func(key string) bool { return labels[key] != s.Spec.Selector[key] }) {
			names = append(names, name)
		}
	}
	return names
}
