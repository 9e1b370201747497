// Package kubernetes proves that what deploy/kubernetes makes of Parkwire is what it promises: rendered by Kustomize, decoded into Kubernetes' own types, and
// held against the settings that the binary reads.
package kubernetes

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const (
	root   = "../.."
	folder = root + "/deploy/kubernetes"
)

// binary is parkwire, to which the settings are shown.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if binary = os.Getenv("PARKWIRE_TEST_BINARY"); binary != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "parkwire-kubernetes-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "parkwire")
	build := exec.Command("go", "build", "-o", binary, "./cmd/parkwire")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building parkwire: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// A workload runs pods of one part.
type workload struct {
	name, kind, part string
	replicas         int32 // where an autoscaler decides: its least
	surge            bool  // a new pod is there before an old one goes
	selector         *meta.LabelSelector
	pods             core.PodTemplateSpec
}

func (w workload) container() core.Container { return w.pods.Spec.Containers[0] }

// An estate is what one kustomization makes.
type estate struct {
	workloads map[string]workload
	services  map[string]core.Service
	policies  []networking.NetworkPolicy
	budgets   []policy.PodDisruptionBudget
	scalers   []autoscaling.HorizontalPodAutoscaler
	maps      map[string]core.ConfigMap
	ingresses []networking.Ingress
	routes    []gateway.HTTPRoute
	spaces    []core.Namespace
}

var parts = []string{"gateway", "parking", "notifications", "history", "audit", "alerts"}

// each runs a test for the base and for each overlay.
func each(t *testing.T, check func(t *testing.T, e estate)) {
	t.Helper()
	kustomizations, err := filepath.Glob(folder + "/overlays/*")
	if err != nil || len(kustomizations) < 2 {
		t.Fatalf("overlays: %v, %v", kustomizations, err)
	}
	for _, dir := range append([]string{folder + "/base"}, kustomizations...) {
		t.Run(filepath.Base(dir), func(t *testing.T) { check(t, render(t, dir)) })
	}
}

// strict decodes what the cluster would, and refuses what it would silently drop: fields that are not known, and those that are there twice.
var strict = func() runtime.Decoder {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		apps.AddToScheme, autoscaling.AddToScheme, core.AddToScheme, networking.AddToScheme, policy.AddToScheme, gateway.Install,
	} {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
	return serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
}()

func render(t *testing.T, dir string) estate {
	t.Helper()
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	e := estate{workloads: map[string]workload{}, services: map[string]core.Service{}, maps: map[string]core.ConfigMap{}}
	for _, r := range made.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		decoded, _, err := strict.Decode(text, nil, nil)
		if err != nil {
			t.Fatalf("%v: %v\n%s", r.CurId(), err, text)
		}
		if named, ok := decoded.(meta.Object); ok && named.GetNamespace() != "parkwire" && named.GetName() != "parkwire" {
			t.Errorf("%v is in the namespace %q", r.CurId(), named.GetNamespace())
		}
		switch o := decoded.(type) {
		case *apps.Deployment:
			e.add(workload{o.Name, "Deployment", "", count(o.Spec.Replicas), o.Spec.Strategy.RollingUpdate != nil && o.Spec.Strategy.RollingUpdate.MaxUnavailable.IntValue() == 0, o.Spec.Selector, o.Spec.Template})
		case *apps.StatefulSet:
			e.add(workload{o.Name, "StatefulSet", "", count(o.Spec.Replicas), false, o.Spec.Selector, o.Spec.Template})
			if s, ok := e.services[o.Spec.ServiceName]; ok && s.Spec.ClusterIP != core.ClusterIPNone {
				t.Errorf("%s has the service %s, which is not headless", o.Name, o.Spec.ServiceName)
			}
		case *core.Service:
			e.services[o.Name] = *o
		case *core.ConfigMap:
			e.maps[o.Name] = *o
		case *core.Namespace:
			e.spaces = append(e.spaces, *o)
		case *networking.NetworkPolicy:
			e.policies = append(e.policies, *o)
		case *networking.Ingress:
			e.ingresses = append(e.ingresses, *o)
		case *policy.PodDisruptionBudget:
			e.budgets = append(e.budgets, *o)
		case *autoscaling.HorizontalPodAutoscaler:
			e.scalers = append(e.scalers, *o)
		case *gateway.HTTPRoute:
			e.routes = append(e.routes, *o)
		default:
			t.Errorf("%v: a kind that no test looks at", r.CurId())
		}
	}
	for _, s := range e.scalers {
		w := e.workloads[s.Spec.ScaleTargetRef.Name]
		w.replicas = count(s.Spec.MinReplicas)
		e.workloads[w.name] = w
	}
	return e
}

func (e *estate) add(w workload) {
	if len(w.pods.Spec.Containers) > 0 && len(w.container().Args) > 0 {
		w.part = w.container().Args[0]
	}
	e.workloads[w.name] = w
}

// count is a number of pods, which is one where none is said.
func count(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

// environment are the variables that a workload's container has.
func (e estate) environment(t *testing.T, w workload) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, from := range w.container().EnvFrom {
		if from.ConfigMapRef == nil {
			t.Fatalf("%s has variables of something else than a ConfigMap: secrets are mounted as files", w.name)
		}
		settings, ok := e.maps[from.ConfigMapRef.Name]
		if !ok {
			t.Fatalf("%s reads the ConfigMap %s, which is not there", w.name, from.ConfigMapRef.Name)
		}
		maps.Copy(all, settings.Data)
	}
	for _, v := range w.container().Env {
		switch {
		case v.ValueFrom == nil:
			all[v.Name] = v.Value
		case v.ValueFrom.FieldRef != nil && v.ValueFrom.FieldRef.FieldPath == "metadata.name":
			all[v.Name] = w.name + "-0"
		default:
			t.Fatalf("%s: %s comes from somewhere that the test does not know: secrets are mounted as files", w.name, v.Name)
		}
	}
	return all
}

// settings are those that the binary has with a workload's variables and arguments. What it warns of fails the test.
func (e estate) settings(t *testing.T, w workload) map[string]string {
	t.Helper()
	args := append([]string{"config"}, w.container().Args...)
	cmd := exec.Command(binary, append(args, "--format", "json")...)
	cmd.Env = []string{}
	for name, value := range e.environment(t, w) {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil || said.Len() > 0 {
		t.Fatalf("parkwire config %s: %v: %s", w.part, err, said.String())
	}
	var all []struct{ Name, Value string }
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, s := range all {
		values[s.Name] = s.Value
	}
	return values
}

// selects says whether a selector takes what has the labels. One that is not there takes nothing, an empty one everything.
func selects(t *testing.T, s *meta.LabelSelector, its map[string]string) bool {
	t.Helper()
	selector, err := meta.LabelSelectorAsSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	return selector.Matches(labels.Set(its))
}

func sorted[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// What Kustomize would silently merge, or read in another way than it was meant, stands in no file.
func TestNoFileSaysAThingTwice(t *testing.T) {
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for document := range strings.SplitSeq(string(text), "\n---\n") {
			if _, err := yaml.YAMLToJSONStrict([]byte(document)); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEachEstateHasEachPartOnce(t *testing.T) {
	each(t, func(t *testing.T, e estate) {
		var there []string
		for _, name := range sorted(e.workloads) {
			there = append(there, e.workloads[name].part)
		}
		slices.Sort(there)
		if want := slices.Sorted(slices.Values(parts)); !slices.Equal(there, want) {
			t.Errorf("it runs %v, and is to run %v", there, want)
		}
		if len(e.spaces) != 1 || e.spaces[0].Labels["pod-security.kubernetes.io/enforce"] != "restricted" {
			t.Errorf("the namespace does not hold its pods to the strictest standard: %+v", e.spaces)
		}
	})
}
