package kubernetes

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// A place can talk or be talked to: pods of the platform, pods of others, or an address that is no pod's.
type place struct {
	name   string
	space  string            // the namespace; "" where it is no pod
	labels map[string]string // of the pod
	at     netip.Addr        // where it is no pod
}

// Where others are. The addresses are examples of a kind: what is allowed to one is allowed to all of it.
var (
	dns       = place{name: "DNS", space: "kube-system", labels: map[string]string{"k8s-app": "kube-dns"}}
	operators = place{name: "Prometheus", space: "monitoring"}
	collector = place{name: "the collector of traces", space: "observability"}
	servers   = place{name: "the network of the servers", at: netip.MustParseAddr("10.20.3.4")}
	internet  = place{name: "the internet", at: netip.MustParseAddr("8.8.4.4")}
	others    = []place{
		dns, operators, collector, servers, internet,
		{name: "the internet by IPv6", at: netip.MustParseAddr("2a00:1450::1")},
		{name: "something else in kube-system", space: "kube-system"},
		{name: "another namespace", space: "default", labels: map[string]string{"app.kubernetes.io/component": "gateway"}},
		{name: "another private network", at: netip.MustParseAddr("10.99.0.1")},
		{name: "the metadata of the machine", at: netip.MustParseAddr("169.254.169.254")},
		{name: "a private address of IPv6", at: netip.MustParseAddr("fd00::1")},
	}
)

// ports are tried between all of them.
var ports = []int32{22, 25, 53, 80, 443, 465, 1023, 1024, 4317, 4318, 5000, 5001, 5432, 6379, 8883, 9092, 9093, 9500, 65535}

// A way leads from one place to a port of another.
type way struct {
	from, to string
	protocol core.Protocol
	port     int32
}

func (w way) String() string { return fmt.Sprintf("%s -> %s, %s %d", w.from, w.to, w.protocol, w.port) }

// What the configuration names can be reached, and nothing else can: neither by the platform, nor in it by others.
func TestNetworksAllowWhatTheSettingsNameAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, e estate) {
		door, clients := e.door(t)
		var inside []place
		for _, name := range sorted(e.workloads) {
			inside = append(inside, place{name: name, space: "parkwire", labels: e.workloads[name].pods.Labels})
		}
		got, want := map[way]bool{}, map[way]bool{}
		all := slices.Concat(inside, others)
		if door.space != "" {
			all = append(all, door)
		}
		for _, from := range all {
			for _, to := range all {
				if from.space != "parkwire" && to.space != "parkwire" {
					continue // nobody's business here
				}
				for _, protocol := range []core.Protocol{core.ProtocolTCP, core.ProtocolUDP} {
					for _, port := range ports {
						if e.lets(t, networking.PolicyTypeEgress, from, to, protocol, port) && e.lets(t, networking.PolicyTypeIngress, to, from, protocol, port) {
							got[way{from.name, to.name, protocol, port}] = true
						}
					}
				}
			}
		}
		for _, name := range sorted(e.workloads) {
			e.needs(t, e.workloads[name], want)
		}
		for _, service := range clients {
			for _, part := range e.behind(t, service) {
				want[way{door.name, part, core.ProtocolTCP, 5000}] = true
			}
		}
		for _, w := range slices.SortedFunc(maps.Keys(want), compare) {
			if !got[w] {
				t.Errorf("not allowed, and needed: %v", w)
			}
		}
		for _, w := range slices.SortedFunc(maps.Keys(got), compare) {
			if !want[w] {
				t.Errorf("allowed, and not needed: %v", w)
			}
		}
	})
}

func compare(a, b way) int { return strings.Compare(a.String(), b.String()) }

// needs adds what one part must reach by its settings, and who must reach it.
func (e estate) needs(t *testing.T, w workload, all map[way]bool) {
	t.Helper()
	s := e.settings(t, w)
	to := func(there string, ports ...int32) {
		for _, port := range ports {
			all[way{w.name, there, core.ProtocolTCP, port}] = true
		}
	}
	to(dns.name, 53)
	all[way{w.name, dns.name, core.ProtocolUDP, 53}] = true
	all[way{operators.name, w.name, core.ProtocolTCP, portOf(t, "//host"+s["admin-listen"])}] = true
	if s["trace-endpoint"] != "" {
		if u, err := url.Parse(s["trace-endpoint"]); err != nil || !strings.HasSuffix(u.Hostname(), "."+collector.space) {
			t.Errorf("trace-endpoint is %s, and networks.yaml of components/traces names the namespace %s", s["trace-endpoint"], collector.space)
		}
		to(collector.name, portOf(t, s["trace-endpoint"]))
	}
	if w.part != "gateway" {
		for broker := range strings.SplitSeq(s["kafka-brokers"], ",") {
			to(servers.name, portOf(t, "//"+broker))
		}
	}
	if w.part == "gateway" || w.part == "notifications" {
		to(servers.name, portOf(t, s["redis-url"]))
		u, err := url.Parse(s["redis-url"])
		if err != nil {
			t.Fatal(err)
		}
		for _, node := range u.Query()["addr"] {
			to(servers.name, portOf(t, "//"+node))
		}
		if s["oidc-issuer"] != "" {
			to(internet.name, 443)
			to("the internet by IPv6", 443)
		}
	}
	switch w.part {
	case "parking", "history", "audit", "alerts":
		to(servers.name, portOf(t, s["database-url"]))
	}
	switch w.part {
	case "gateway":
		for _, part := range []string{"parking", "live", "history", "audit", "alerts"} {
			for one := range strings.SplitSeq(s[part+"-urls"], ",") {
				name, ok := strings.CutPrefix(one, "dns+http://")
				service, _, _ := strings.Cut(name, ":")
				if k := e.services[service]; !ok || k.Spec.ClusterIP != core.ClusterIPNone || !k.Spec.PublishNotReadyAddresses {
					t.Errorf("%s-urls: %s does not name each pod, ready or not", part, one)
				}
				for _, there := range e.behind(t, service) {
					to(there, portOf(t, "//"+name))
				}
			}
		}
	case "parking":
		if s["mqtt-url"] != "" {
			to(servers.name, portOf(t, s["mqtt-url"]))
		}
	case "alerts":
		for _, port := range ports { // internal/outward
			if port == 443 || port >= 1024 {
				to(internet.name, port)
				to("the internet by IPv6", port)
			}
		}
	}
}

func portOf(t *testing.T, address string) int32 {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseInt(u.Port(), 10, 32)
	if err != nil {
		t.Fatalf("%s: without a port it cannot be told what is to be allowed", address)
	}
	return int32(port)
}

// lets says whether the policies let one side, in one direction, have a connection with the other. Policies are about pods of their own namespace alone; of
// those who are selected by one, only that is let through which some policy allows.
func (e estate) lets(t *testing.T, direction networking.PolicyType, one, other place, protocol core.Protocol, port int32) bool {
	t.Helper()
	if one.space != "parkwire" {
		return true
	}
	bound := false
	for _, p := range e.policies {
		if !slices.Contains(p.Spec.PolicyTypes, direction) || !selects(t, &p.Spec.PodSelector, one.labels) {
			continue
		}
		bound = true
		if direction == networking.PolicyTypeIngress {
			for _, r := range p.Spec.Ingress {
				if isAmong(t, r.From, other) && isPort(t, r.Ports, protocol, port) {
					return true
				}
			}
			continue
		}
		for _, r := range p.Spec.Egress {
			if isAmong(t, r.To, other) && isPort(t, r.Ports, protocol, port) {
				return true
			}
		}
	}
	return !bound
}

func isAmong(t *testing.T, peers []networking.NetworkPolicyPeer, p place) bool {
	t.Helper()
	if len(peers) == 0 {
		return true
	}
	return slices.ContainsFunc(peers, func(peer networking.NetworkPolicyPeer) bool {
		if peer.IPBlock != nil {
			return p.space == "" && within(t, p.at, peer.IPBlock)
		}
		if p.space == "" {
			return false
		}
		pods, spaces := peer.PodSelector, peer.NamespaceSelector
		if pods == nil {
			pods = &meta.LabelSelector{}
		}
		if spaces == nil { // the policy's own
			return p.space == "parkwire" && selects(t, pods, p.labels)
		}
		return selects(t, spaces, map[string]string{"kubernetes.io/metadata.name": p.space}) && selects(t, pods, p.labels)
	})
}

func within(t *testing.T, at netip.Addr, block *networking.IPBlock) bool {
	t.Helper()
	has := func(cidr string) bool {
		network, err := netip.ParsePrefix(cidr)
		if err != nil {
			t.Fatal(err)
		}
		return network.Contains(at)
	}
	return has(block.CIDR) && !slices.ContainsFunc(block.Except, has)
}

func isPort(t *testing.T, ports []networking.NetworkPolicyPort, protocol core.Protocol, port int32) bool {
	t.Helper()
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p networking.NetworkPolicyPort) bool {
		if p.Port == nil || p.Port.Type != intstr.Int {
			t.Fatalf("a policy names a port by something else than its number: %+v", p)
		}
		its := core.ProtocolTCP
		if p.Protocol != nil {
			its = *p.Protocol
		}
		last := p.Port.IntVal
		if p.EndPort != nil {
			last = *p.EndPort
		}
		return its == protocol && p.Port.IntVal <= port && port <= last
	})
}
