package live

import (
	"path"
	"slices"
	"testing"

	"parkwire/internal/websocket"
)

// engines are those that work here. What has to do with connections is to hold on each of them.
func engines() []string {
	p, err := websocket.NewPoller()
	if err != nil {
		return []string{EngineGoroutines}
	}
	_ = p.Close()
	b, err := newBatchSender()
	if err != nil {
		return []string{EngineEpoll, EngineGoroutines}
	}
	_ = b.close()
	return []string{EngineRing, EngineEpoll, EngineGoroutines}
}

// onEachEngine runs a test on each engine: what is started in it has the one of its name.
func onEachEngine(t *testing.T, test func(*testing.T)) {
	for _, engine := range engines() {
		t.Run(engine, test)
	}
}

// engineOf is the engine of a test, the default where it is not about one.
func engineOf(t *testing.T) string {
	for name := t.Name(); name != "."; name = path.Dir(name) {
		if base := path.Base(name); slices.Contains(engines(), base) {
			return base
		}
	}
	return EngineAuto
}
