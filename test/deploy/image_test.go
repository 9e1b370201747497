package deploy

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"os"
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

// inspected is what the engine says of an image.
type inspected struct {
	Size   int64
	Config struct {
		User        string
		Labels      map[string]string
		Healthcheck struct{ Test []string }
	}
}

func inspect(t *testing.T, name string) inspected {
	t.Helper()
	var images []inspected
	if err := json.Unmarshal([]byte(stack.Run(t, time.Minute, nil, need(t, "docker"), "image", "inspect", name)), &images); err != nil {
		t.Fatal(err)
	}
	return images[0]
}

func TestTheImageIsSmallAndNotRoot(t *testing.T) {
	name := image(t)
	i := inspect(t, name)
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

// Built once by the engine, in a Debian of its own, and once here: the same bytes.
func TestTheImageHasTheBinaryThatThisTreeMakes(t *testing.T) {
	name, docker, dir := image(t), need(t, "docker"), t.TempDir()
	labels := inspect(t, name).Config.Labels
	container := strings.TrimSpace(stack.Run(t, time.Minute, nil, docker, "create", name))
	defer stack.Run(t, time.Minute, nil, docker, "rm", container)
	shipped, built := filepath.Join(dir, "shipped"), filepath.Join(dir, "built")
	stack.Run(t, time.Minute, nil, docker, "cp", container+":/parkwire", shipped)
	info, err := buildinfo.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	if here := strings.TrimSpace(stack.Run(t, time.Minute, nil, "go", "env", "GOVERSION")); here != info.GoVersion {
		t.Skipf("skipped: the image was built by %s, here is %s", info.GoVersion, here)
	}
	flags := "-s -w -X main.version=" + labels["org.opencontainers.image.version"] + " -X main.revision=" + labels["org.opencontainers.image.revision"]
	stack.Run(t, 20*time.Minute, []string{"CGO_ENABLED=0", "GOFLAGS="},
		"go", "build", "-C", stack.Root(), "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", built, "./cmd/parkwire")
	var digests [2][sha256.Size]byte
	for i, path := range []string{shipped, built} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		digests[i] = sha256.Sum256(b)
	}
	if digests[0] != digests[1] {
		t.Fatalf("the image's binary has the digest %x, and %x when it is built from this tree with the same flags", digests[0], digests[1])
	}
	t.Logf("%s, %x both times", info.GoVersion, digests[0])
}
